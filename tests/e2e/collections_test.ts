/** Many collections in one process. The stories are in `collections/`, by subject; one control plane serves them all. */
import { stories } from "../support/story.ts";
import { tellOfCleaningUp } from "./collections/cleaning_up.ts";
import { tellOfMethods } from "./collections/methods.ts";
import { tellOfReloading } from "./collections/reloading.ts";
import { READER, tellOfSyncing } from "./collections/syncing.ts";

const story = stories({ users: [READER] });

tellOfSyncing(story);
tellOfReloading(story);
tellOfCleaningUp(story);
tellOfMethods(story);
