import { InputError } from "../model/errors.ts";
import type { EndpointFacts } from "../model/vendor-facts.ts";
import type { VendorRequest } from "../model/vendor-http.ts";

/**
 * Checks where a connection's calls go. A credential never travels in clear text, except on this machine or where the operator
 * allows it (simulators in another container).
 * @throws InputError
 */
export function parseBaseUrl(text: string, options: { readonly clearText?: boolean } = {}): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new InputError("the vendor's base URL cannot be used", [
      `"${text}" is not a URL: write it like https://api.example.com`,
    ]);
  }
  const problems: string[] = [];
  const local = ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url.protocol === "http:" && !local && options.clearText !== true) {
    problems.push(`${url.origin} would carry the credential in clear text: use https`);
  } else if (url.protocol !== "https:" && url.protocol !== "http:") {
    problems.push(`${url.protocol} is not http or https`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    problems.push("it must be scheme, host, port and path only");
  }
  if (problems.length > 0) throw new InputError("the vendor's base URL cannot be used", problems);
  return url;
}

/** The address of one call: the template's placeholders filled and encoded, the query appended. */
export function callUrl(
  base: URL,
  endpoint: EndpointFacts,
  request: Pick<VendorRequest<unknown>, "path" | "query">,
): URL {
  const url = new URL(base);
  const path = endpoint.path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = request.path?.[name];
    // "." and ".." survive encoding and would lead to another path.
    if (value === undefined || value === "" || value === "." || value === "..") {
      throw new Error(`${endpoint.operation}: no usable value for {${name}} of ${endpoint.path}`);
    }
    return encodeURIComponent(value);
  });
  url.pathname = url.pathname.replace(/\/$/, "") + path;
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value === undefined) continue;
    if (typeof value === "object") for (const item of value) url.searchParams.append(name, item);
    else url.searchParams.append(name, String(value));
  }
  // A blank as "+" is a form's way; not every server undoes it (SCIM filters hold blanks). A plus sign itself is %2B already.
  url.search = url.search.replaceAll("+", "%20");
  return url;
}
