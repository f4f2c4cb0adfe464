import type { HrStore, HrUpload } from "../directory/hr-store.ts";
import type { TenantId } from "../model/ids.ts";

/** Closes and opens what is kept, bound to its tenant and upload. */
export interface BodySeal {
  seal(tenantId: TenantId, uploadId: string, body: Uint8Array): Uint8Array;
  /** Bodies that were kept before they were sealed come back as they are. @throws SyncError CREDENTIAL_MISSING */
  open(tenantId: TenantId, uploadId: string, body: Uint8Array): Uint8Array;
}

/** The store of HR with bodies that the database, and whoever has a copy of it, cannot read. */
export function sealedUploads(store: HrStore, { seal, open }: BodySeal): HrStore {
  const opened = (upload: HrUpload | undefined) =>
    upload && { ...upload, body: open(upload.tenantId, upload.uploadId, upload.body) };
  return {
    ...store,
    async keepHrUpload(tenantId, upload) {
      const body = seal(tenantId, upload.uploadId, upload.body);
      const { known } = await store.keepHrUpload(tenantId, { ...upload, body });
      return { known: opened(known) };
    },
    async getHrUpload(tenantId, uploadId) {
      return opened(await store.getHrUpload(tenantId, uploadId));
    },
    // The body has the message already; beside it stays only that there is one.
    parkHrMessage: (tenantId, message, also) =>
      store.parkHrMessage(tenantId, { ...message, document: null }, also),
  };
}
