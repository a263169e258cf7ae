import { stories } from "../support/story.ts";
import { tellOfEnvironment } from "./field/environment.ts";
import { tellOfLateAnswers } from "./field/late_answers.ts";
import { tellOfNotifications } from "./field/notifications.ts";
import { tellOfWebhookAccess } from "./field/webhook_access.ts";
import { tellOfWebhookOutcomes } from "./field/webhook_outcomes.ts";

const story = stories();

tellOfWebhookOutcomes(story);
tellOfLateAnswers(story);
tellOfWebhookAccess(story);
tellOfNotifications(story);
tellOfEnvironment(story);
