import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

/** A real OpenID provider on this machine: whoever signs in by a name gets the groups that this name has. */
export async function startOpenIdProvider(options: {
  readonly redirectUri: () => string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly groups: Readonly<Record<string, readonly string[]>>;
}): Promise<{ readonly issuer: string; readonly close: () => Promise<void> }> {
  let callback: ((...args: never[]) => unknown) | undefined;
  const { createServer } = await import("node:http");
  const server: Server = createServer((request, response) => {
    (callback as unknown as (...args: unknown[]) => unknown)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: options.clientId,
        client_secret: options.clientSecret,
        redirect_uris: [options.redirectUri()],
      },
    ],
    claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["of a test"] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({
        sub,
        email: `${sub}@example.com`,
        email_verified: true,
        groups: options.groups[sub] ?? [],
      }),
    }),
  });
  callback = provider.callback() as never;
  return {
    issuer,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
