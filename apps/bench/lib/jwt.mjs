import { SignJWT } from "jose";

export const JWT_KEY = new TextEncoder().encode("bench-secret-0123456789-0123456789-abc");

export const makeJwt = () =>
  new SignJWT({ email: "a@example.com" })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("user_1")
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(JWT_KEY);
