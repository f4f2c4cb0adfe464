import type { CredentialStore } from "../../credentials/credential-store.ts";
import type { Clock } from "../../model/clock.ts";
import * as commands from "./credential-commands.ts";
import * as queries from "./credential-queries.ts";
import type { Engine } from "./engine.ts";
import * as signers from "./idp-signers.ts";

/** The credential port over an engine. */
export function credentialStore(engine: Engine, clock: Clock): CredentialStore {
  return {
    putSecret: async (tenantId, secret, also) => {
      await engine.write(commands.putSecret, { tenantId, secret, now: clock.now(), also });
    },
    getSecret: (tenantId, name) => engine.read(queries.getSecret, { tenantId, name }),
    listSecrets: (tenantId) => engine.read(queries.listSecrets, { tenantId }),
    removeSecret: async (tenantId, name, also) => {
      await engine.write(commands.removeSecret, { tenantId, name, now: clock.now(), also });
    },
    createToken: async (tenantId, token, also) => {
      await engine.write(commands.createToken, { tenantId, token, now: clock.now(), also });
    },
    revokeToken: (tenantId, command, also) =>
      engine.write(commands.revokeToken, { tenantId, ...command, also }),
    listLiveTokens: (kind, now) => engine.read(queries.listLiveTokens, { kind, now }),
    listTokens: (tenantId) => engine.read(queries.listTokens, { tenantId }),
    touchToken: async (tenantId, command) => {
      await engine.write(commands.touchToken, { tenantId, ...command });
    },
    setIdpSigner: async (tenantId, signer, also) => {
      await engine.write(signers.setIdpSigner, { tenantId, signer, now: clock.now(), also });
    },
    removeIdpSigner: async (tenantId, idpId, also) => {
      await engine.write(signers.removeIdpSigner, { tenantId, idpId, now: clock.now(), also });
    },
    listIdpSigners: () => engine.read(signers.listIdpSigners, null),
    tokenEpoch: () => engine.read(queries.tokenEpoch, null),
  };
}
