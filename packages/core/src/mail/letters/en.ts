import type { LetterTexts } from "./texts.ts";

export const en: LetterTexts = {
  language: "en",
  direction: "ltr",
  greeting: "Hello,",
  greetingWithName: "Hello {name},",
  copyLink: "If the button does not work, copy this address into your browser:",
  expiry: "The link works once and is valid for {time}.",
  verifyEmail: {
    subject: "Confirm your e-mail address",
    before: ["Please confirm that this e-mail address is yours, so that it can be used with your Parley account."],
    action: "Confirm address",
    after: ["If you did not create an account, you can ignore this message."],
  },
  resetPassword: {
    subject: "Reset your password",
    before: [
      "We have received a request to reset the password of your Parley account. With this link you can choose a new password.",
    ],
    action: "Choose a new password",
    after: ["If you did not ask for this, you can ignore this message: your password stays as it is."],
  },
  invite: {
    subject: "An invitation to Parley",
    before: ["You have been invited to create an account on Parley."],
    action: "Create an account",
    after: ["If you were not expecting this invitation, you can ignore this message."],
  },
  accountExists: {
    subject: "You already have an account",
    before: [
      "Somebody tried to create a Parley account with this e-mail address, but there already is one. You can simply sign in, or choose a new password if you have forgotten yours.",
    ],
    action: "Sign in",
    after: ["If it was not you, there is nothing you need to do: nothing about your account has changed."],
  },
  passwordChanged: {
    subject: "Your password was changed",
    before: [
      "The password of your Parley account has just been changed.",
      "If you did this, there is nothing more you need to do. If not, please choose a new password at once.",
    ],
    action: "Choose a new password",
    after: [],
  },
  newSignIn: {
    subject: "A new sign-in to your account",
    before: [
      "There has been a new sign-in to your Parley account.",
      "Device: {device}",
      "If it was you, there is nothing more you need to do. If not, please end that session and change your password at once.",
    ],
    action: "Check your sessions",
    after: [],
  },
};
