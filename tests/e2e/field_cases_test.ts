/**
 * Cases from the field: what people reported who run such a sidecar, and cases of the same kinds. The stories are in
 * `field/`, by subject; one control plane serves them all.
 *
 * | Row | Case | Story |
 * | --- | --- | --- |
 * | 1 | API server away for 25 s | faults/outage_test.ts, "Probes stay green while the API server refuses connections" |
 * | 2 | webhook answers 401 for ever | "Webhook that refuses is asked after minutes" |
 * | 3 | webhook answers after REQ_TIMEOUT | "Answer after REQ_TIMEOUT counts, and there is one call" |
 * | 4 | stray files in FOLDER | faults/state_directory_test.ts, "Nothing but wanted files is ever seen in target folders" |
 * | 5 | dead URL and jdbc URL with METHOD=LIST | "METHOD=LIST ends with 0 beside a dead URL and a jdbc URL" |
 * | 6 | volume refuses chmod | "Volume that refuses chmod with EPERM is one warning" |
 * | 7 | service link in HEALTH_PORT | "HEALTH_PORT that is a service link is one warning" |
 * | 8 | resumed watch ends at once | faults/outage_test.ts, "Resumed watches that end at once lead to a relist" |
 * | 9 | heir's answer stops | faults/heart_test.ts, "Heir's file comes though its first answer stopped" |
 * | 10 | Secrets no longer listed | faults/heart_test.ts, "Secrets never listed keep their files when an unlink fails" |
 * | 11 | object that does not fit is deleted | faults/heart_test.ts, "Ready when an object too big for the disk is deleted" |
 * | 12 | winner released with content on disk | faults/heart_test.ts, "Finalizer outlives the content when the heir's URL is dead" |
 * | 13 | record that another user cannot read | faults/state_directory_test.ts, "Another user can read all below the folder" |
 * | 14 | renamed object beside the old one | "COLLISIONS=newest has the renamed object's file" |
 * | 15 | annotation beside FOLDER in its volume | "DEFAULTS=kiwigrid writes beside FOLDER in its volume" |
 * | 16 | zombies of a SCRIPT under PID 1 | image/debug_test.ts, "a hundred scripts that leave a child leave no zombie" |
 * | 17 | exec probe | "Exec probe says what the probes say"; image/debug_test.ts, "busybox has its names in /bin …" |
 * | 18 | only the image is swapped | image/kiwigrid_test.ts, "the kiwigrid image looks at ConfigMaps of its own namespace" |
 *
 * Passed before and kept: "IPv6 address that stays silent delays webhook and download little", "Object replaced by delete
 * and create has its new content", "Immutable ConfigMap made anew has its new content", "Twelve ConfigMaps at the start are
 * one reload".
 */
import { stories } from "../support/story.ts";
import { tellOfCompressedKeys } from "./field/compressed_keys.ts";
import { tellOfEnvironment } from "./field/environment.ts";
import { tellOfLateAnswers } from "./field/late_answers.ts";
import { READER, tellOfNamespaces } from "./field/namespaces.ts";
import { tellOfNotifications } from "./field/notifications.ts";
import { tellOfOneObject } from "./field/one_object.ts";
import { tellOfProbes } from "./field/probes.ts";
import { tellOfReplacedObjects } from "./field/replaced_objects.ts";
import { tellOfSilentAddresses } from "./field/silent_address.ts";
import { tellOfVolumes } from "./field/volumes.ts";
import { tellOfWebhookAccess } from "./field/webhook_access.ts";
import { tellOfWebhookOutcomes } from "./field/webhook_outcomes.ts";

const story = stories({ users: [READER] });

tellOfProbes(story);
tellOfOneObject(story);
tellOfVolumes(story);
tellOfEnvironment(story);
tellOfNamespaces(story);
tellOfReplacedObjects(story);
tellOfCompressedKeys(story);
tellOfNotifications(story);
tellOfSilentAddresses(story);
tellOfWebhookAccess(story);
tellOfWebhookOutcomes(story);
tellOfLateAnswers(story);
