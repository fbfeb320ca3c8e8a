// Times in the reader's zone. The server writes UTC, which stays as what the pointer finds.

const now = new Date();

for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  const shown = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  if (at.getFullYear() !== now.getFullYear()) shown.year = "numeric";
  time.textContent = at.toLocaleString(undefined, shown);
}
