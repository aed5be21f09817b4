import { AppError } from "./errors.ts";

// What is somebody else's is refused as what is missing, in the same words: no caller learns which it was.

export const noAccount = () => new AppError("not_found", "This account does not exist");

export const noConversation = () => new AppError("not_found", "This conversation does not exist");

export const noMessage = () => new AppError("not_found", "This message does not exist");

export const noMessageHere = () => new AppError("not_found", "This message does not exist in this conversation");

/** It was there when its answer was asked for. */
export const noQuestion = () => new AppError("not_found", "The message to answer no longer exists");

export const noRun = () => new AppError("not_found", "This run does not exist");

export const readOnly = () => new AppError("forbidden", "You may read this conversation, but not write in it");

export const onlyOwners = () => new AppError("forbidden", "Only an owner of this conversation may do this");
