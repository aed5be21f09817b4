/** Nobody can say whence a request comes but the platform. */
export const peerOf = (request: Request): string => request.headers.get("cf-connecting-ip") ?? "";
