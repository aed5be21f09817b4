/** `{device}` is filled in; a paragraph that needs it falls away where it is not known. */
export interface LetterText {
  subject: string;
  before: string[];
  /** What the link does: the text of the button. */
  action: string;
  after: string[];
}

/** In a right-to-left language each sentence begins with a letter of it: plain text takes its direction from there. */
export interface LetterTexts {
  language: string;
  direction: "ltr" | "rtl";
  greeting: string;
  greetingWithName: string;
  copyLink: string;
  expiry: string;
  verifyEmail: LetterText;
  resetPassword: LetterText;
  invite: LetterText;
  accountExists: LetterText;
  passwordChanged: LetterText;
  newSignIn: LetterText;
}
