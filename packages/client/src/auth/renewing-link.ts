import type { AppRouter } from "@parley/api/types";
import type { ErrorReason } from "@parley/contract/errors";
import type { TRPCLink } from "@trpc/client";
import { observable, type Unsubscribable } from "@trpc/server/observable";
import { isRefusal, nameReason } from "../errors.ts";
import { resuming } from "../resuming.ts";
import type { Identity } from "./identity.ts";

const expired: readonly ErrorReason[] = ["token_expired"];
/** A browser drops the cookie of a token that has expired: the server sees nobody. */
const expiredCookie: readonly ErrorReason[] = ["unauthenticated", ...expired];

const ended: readonly ErrorReason[] = ["session_ended"];

/** A call whose token has expired on its way is made again with a new one, once. */
export function renewingLink(identity: Identity, reconnect: () => void): TRPCLink<AppRouter> {
  const reasons = identity.usesCookies ? expiredCookie : expired;
  return () =>
    ({ op, next }) =>
      observable((observer) => {
        let under: Unsubscribable | undefined;
        let isOver = false;
        const place = resuming(op);
        const attempt = (isLast: boolean) => {
          const madeAt = Date.now();
          const session = identity.session();
          under = next(place.op()).subscribe({
            next(value) {
              place.note(value);
              observer.next(value);
            },
            complete: observer.complete,
            error(error) {
              nameReason(error);
              if (isRefusal(error, ended)) identity.end("session_ended", session).catch(() => {});
              if (isLast || !isRefusal(error, reasons)) return observer.error(error);
              identity.renew(madeAt).then(
                (isRenewed) => {
                  if (isOver) return;
                  if (!isRenewed) return observer.error(error);
                  // A socket that was opened without the cookie stays a guest's.
                  if (identity.usesCookies && op.type === "subscription") reconnect();
                  attempt(true);
                },
                () => observer.error(error),
              );
            },
          });
        };
        // Whoever has no token to give is told at once: a connection would only be tried again and again.
        if (op.type === "subscription") identity.token().then(() => isOver || attempt(false), observer.error);
        else attempt(false);
        return () => {
          isOver = true;
          under?.unsubscribe();
        };
      });
}
