"""The console: what waits for a word, people, jobs, the log and more, for those who lead.

A page is a module beside these with a `PAGE`, a template of its name in templates/console, and its
line in `PAGES`; the menu, the routes and who may see it follow from that. Its handlers begin with
`seated`, which says who asks and what for, end with `frame.show`, and list what `Records` gives;
what they do goes through `acts.perform`. Every address says which server it is about, or all.
"""

from bots.web.console import (
    blocklist,
    jobs,
    log,
    overview,
    payments,
    people,
    person,
    plans,
    queue,
    reports,
    review,
    sign_in,
    usage,
    verify,
    vouchers,
)
from bots.web.console.desk import CONSOLE, Console

PAGES = (
    overview.PAGE, review.PAGE, reports.PAGE, people.PAGE, jobs.PAGE, queue.PAGE, usage.PAGE,
    log.PAGE, verify.PAGE, blocklist.PAGE, vouchers.PAGE, payments.PAGE, plans.PAGE,
)  # fmt: skip
ROUTES = (
    *sign_in.ROUTES,
    *person.ROUTES,
    *(route for page in PAGES for route in page.routes),
)

__all__ = ["CONSOLE", "PAGES", "ROUTES", "Console"]
