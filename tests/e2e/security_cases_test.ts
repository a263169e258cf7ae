/**
 * The cases of a security review, and cases of the same kinds. The stories are in `security/`, by subject; one control
 * plane serves them all.
 *
 * | Row | Case | Story |
 * | --- | --- | --- |
 * | 1 | `.url` on the webhook's origin | "URL on the webhook's own origin gets none of its credentials" |
 * | 2 | `.url` into this pod, metadata, the API server | "URLs of this pod's own and of metadata are refused", "Redirect to a host that is not allowed is refused", "Events do not tell what stands on which port" |
 * | 3 | downloads that do not end | "200 URLs that never answer hold up neither readiness nor others", "METHOD=LIST ends though an answer trickles", "Host that answers 429 is left alone, and holds up no other" |
 * | 4 | downloads that take memory | "A hundred trickling answers take four connections", "Gzip that nobody asked for does not fill the memory", "Downloads beyond the limits are their object's fault" |
 * | 5 | links in place of our files | "Symlink beside an unlinked record leads nowhere", "Temporary of a slow download replaced by a symlink", "Race for temporaries of 900 kB changes nothing outside" |
 * | 6 | subfolder that we may not write | "Subfolder that is read-only is its object's fault" |
 * | 7 | file where another's folder is | "Key named like another's folder loses to the older object", "Folder named like another's file loses to the older object" |
 * | 8 | 60,000 empty keys | "Object with 60,000 keys is refused, and probes pass" |
 * | 9 | log is flooded | "Two objects with 10,000 keys in common are a line", "Two objects with 2,000 keys in common do not flood the log", "Line about a URL of 300 kB has 2 kB" |
 * | 10 | no file in the record's place | "Start with a FIFO for a record is one warning", "Record that becomes a FIFO stops nothing" |
 * | 11 | forged record | "Forged record has no foreign file removed or moved" |
 * | 12 | our own configuration as a target | "SCRIPT inside FOLDER is neither replaced nor silent", "Credential files inside FOLDER are not replaced" |
 * | 13 | half-sent requests | "Probes pass while 1,500 requests are half sent", "Probes pass while clients do not close their connections" |
 * | 14 | webhook answers 307 | "Webhook that answers 307 to another origin keeps the payload" |
 * | 15 | control characters | "TEXT lines have no control character of an annotation" |
 * | 16 | one name for two objects | "UNIQUE_FILENAMES that meet are a collision, and told" |
 * | 17 | paths that cannot be | "Impossible paths wait for a change, not for time" |
 * | 18 | release workflow | release_test.ts, "Actions of the workflows are pinned by commit or listed" |
 */
import { stories } from "../support/story.ts";
import { tellOfAllowedHosts } from "./security/allowed_hosts.ts";
import { tellOfAttacks } from "./security/attacks.ts";
import { tellOfCredentials } from "./security/credentials.ts";
import { tellOfForeignFiles } from "./security/foreign_files.ts";
import { tellOfHostileRecords } from "./security/hostile_record.ts";
import { tellOfHealthPort } from "./security/health_port.ts";
import { tellOfLoad } from "./security/load.ts";
import { tellOfLogLines } from "./security/log_lines.ts";
import { tellOfNames } from "./security/names.ts";
import { tellOfOwnConfiguration } from "./security/own_configuration.ts";
import { tellOfPrefixes } from "./security/prefixes.ts";
import { tellOfSlowDownloads } from "./security/slow_downloads.ts";
import { tellOfUnwritableFolders } from "./security/unwritable_folders.ts";
import { tellOfWholeRequests } from "./security/whole_requests.ts";

const story = stories();

tellOfCredentials(story);
tellOfAllowedHosts(story);
tellOfSlowDownloads(story);
tellOfHostileRecords(story);
tellOfUnwritableFolders(story);
tellOfForeignFiles(story);
tellOfOwnConfiguration(story);
tellOfPrefixes(story);
tellOfLoad(story);
tellOfHealthPort(story);
tellOfWholeRequests(story);
tellOfAttacks(story);
tellOfLogLines(story);
tellOfNames(story);
