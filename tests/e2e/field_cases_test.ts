import { stories } from "../support/story.ts";
import { tellOfLateAnswers } from "./field/late_answers.ts";
import { tellOfWebhookOutcomes } from "./field/webhook_outcomes.ts";

const story = stories();

tellOfWebhookOutcomes(story);
tellOfLateAnswers(story);
