/** Waits for a state: calls `check` until it neither throws nor answers false. Fails with the last reason after `timeoutMs`. */
export async function eventually(
  check: () => unknown,
  options: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<void> {
  const { timeoutMs = 5_000, everyMs = 10 } = options;
  const end = performance.now() + timeoutMs;
  for (;;) {
    const failure = await attempt(check);
    if (failure === undefined) return;
    if (performance.now() >= end) throw failure;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

async function attempt(check: () => unknown): Promise<Error | undefined> {
  try {
    return (await check()) === false ? new Error("the awaited state did not come") : undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
