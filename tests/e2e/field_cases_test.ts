import { stories } from "../support/story.ts";
import { tellOfCompressedKeys } from "./field/compressed_keys.ts";
import { tellOfEnvironment } from "./field/environment.ts";
import { tellOfLateAnswers } from "./field/late_answers.ts";
import { tellOfNamespaces } from "./field/namespaces.ts";
import { tellOfNotifications } from "./field/notifications.ts";
import { tellOfOneObject } from "./field/one_object.ts";
import { tellOfProbes } from "./field/probes.ts";
import { tellOfReplacedObjects } from "./field/replaced_objects.ts";
import { tellOfVolumes } from "./field/volumes.ts";
import { tellOfWebhookAccess } from "./field/webhook_access.ts";
import { tellOfWebhookOutcomes } from "./field/webhook_outcomes.ts";

const story = stories();

tellOfProbes(story);
tellOfOneObject(story);
tellOfVolumes(story);
tellOfEnvironment(story);
tellOfNamespaces(story);
tellOfReplacedObjects(story);
tellOfCompressedKeys(story);
tellOfNotifications(story);
tellOfWebhookAccess(story);
tellOfWebhookOutcomes(story);
tellOfLateAnswers(story);
