// Talking to the API as this browser's session.

const token = document.querySelector('meta[name="kinora-token"]').content;

const WAIT_MILLISECONDS = 180000;
export const UNREACHABLE = "Kinora could not be reached. Nothing is lost: try it again.";

/** Raises an Error whose message is a sentence to be shown; `answered`: it surely was not done. */
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
      signal: signal ?? AbortSignal.timeout(WAIT_MILLISECONDS),
      body: body && !form ? JSON.stringify(body) : body,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(UNREACHABLE);
  }
  const answer = await told(response);
  if (response.ok && answer !== undefined) return { answer };
  const sentence = answer?.detail ?? `Kinora could not be reached: something between answered ${response.status}. Try it again.`;
  throw Object.assign(new Error(sentence), { answered: answer?.detail && response.status < 500 });
}

/** What an answer holds: null for nothing, undefined where it is cut short or not from Kinora. */
async function told(response) {
  if (response.status === 204) return null;
  if (!/\bjson\b/.test(response.headers.get("Content-Type") ?? "")) return undefined;
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return undefined;
  }
}
