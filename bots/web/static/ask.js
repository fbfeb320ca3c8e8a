// Talking to the API as this browser's session.

const token = document.querySelector('meta[name="kinora-token"]').content;

/** Raises an Error whose message is a sentence to be shown; `answered` tells who is to blame. */
export async function ask(method, path, body, { key, signal } = {}) {
  const headers = { "X-Kinora-Token": token };
  if (key) headers["Idempotency-Key"] = key;
  const form = body instanceof FormData;
  if (body && !form) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      signal,
      body: body && !form ? JSON.stringify(body) : body,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("Kinora could not be reached. Nothing is lost: send it again.");
  }
  const answer = response.status === 204 ? null : await response.json();
  if (response.ok) return { answer };
  throw Object.assign(new Error(answer.detail), { answered: true });
}
