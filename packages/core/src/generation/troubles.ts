import type { RunError, Trouble } from "@parley/contract/events";

/** Another key may do better. */
export const concernsKey = (trouble: Trouble) => trouble === "quota" || trouble === "rate" || trouble === "auth";

/** The same model would say the same again. */
export const concernsRequest = (trouble: Trouble) => trouble === "bad_request" || trouble === "content_filter";

/** What the person is told; operators find the vendor's own words in the log. */
export function describeTrouble(trouble: Trouble): RunError {
  switch (trouble) {
    case "bad_request":
      return { reason: "provider_rejected", message: "The model refused this request: shorten it, or choose another model" };
    case "content_filter":
      return { reason: "provider_rejected", message: "The model withheld the answer" };
    case "quota":
    case "rate":
    case "auth":
      return { reason: "provider_unavailable", message: "The model's provider takes no more requests from us now" };
    case "cut":
    case "invalid_stream":
      return { reason: "provider_unavailable", message: "The answer broke off" };
    case "timeout":
      return { reason: "provider_unavailable", message: "The model did not answer in time" };
    case "overloaded":
    case "network":
      return { reason: "provider_unavailable", message: "The model is not available now: try again in a moment" };
  }
}
