import { argument, requiredFlag, type Command } from "./command.ts";
import { done, show } from "./show.ts";

/** Whose signed tokens an IdP connection takes. */
export const signerCommands: readonly Command[] = [
  {
    words: "idp signer",
    usage:
      "idp signer <name> --issuer URL --audience TEXT --client ID --keys URL | idp signer <name> --remove",
    summary: "take signed tokens of the identity provider's own authorization server",
    flags: {
      issuer: "string",
      audience: "string",
      client: "string",
      keys: "string",
      remove: "boolean",
    },
    run: (invocation) => {
      const path = `/idps/${encodeURIComponent(argument(invocation, 0, "name"))}/signer`;
      if (invocation.flags.remove === true)
        return show(invocation, "DELETE", path, {}, done("signed tokens are not taken any more"));
      return show(
        invocation,
        "PUT",
        path,
        {
          issuer: requiredFlag(invocation, "issuer"),
          audience: requiredFlag(invocation, "audience"),
          client: requiredFlag(invocation, "client"),
          keysUrl: requiredFlag(invocation, "keys"),
        },
        done("signed tokens of this issuer are taken"),
      );
    },
  },
];
