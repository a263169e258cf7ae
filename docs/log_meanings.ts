/** What each log message means, and what to do about it. The messages are those of `findLogMessages()`. */

/** `cure` is empty where nothing has to be done. */
export interface Meaning {
  meaning: string;
  cure: string;
}

const RBAC = "Grant the rights that the line names; `k8s-sidecar print-rbac` prints them all";
const RECORD = "Nothing, or remove by hand the files that nobody needs";

export const LOG_MEANINGS: Readonly<Record<string, Meaning>> = {
  // Start and end
  "k8s-sidecar …: METHOD=…, objects of …": of(
    "The first line: version and revision, `METHOD`, the API server or folder of manifests, and where the credentials come from",
  ),
  "… become files in FOLDER…": of(
    "One line for each collection, at the start and when `CONFIG_FILE` adds or changes it: what is selected, where the files go, their mode if it is not 0644, and which script or webhook follows",
  ),
  "…": of(
    "A setting is misspelt, ignored, or has no effect as it is set; or a file that it names cannot be used yet",
    "Do what the line says. `k8s-sidecar check` shows these warnings and all faults",
  ),
  "health endpoints: http://…:…/healthz": of(
    "The address of `/healthz`, `/livez`, `/readyz`, `/metrics` and `/status`",
  ),
  "… cannot be answered, which is a bug of the sidecar: …": of(
    "`/` or `/status` failed; the line says how. Files and probes are not affected",
    "Report the line",
  ),
  "no health endpoints: cannot listen on port …: …. Set HEALTH_PORT to a free port, or LIVENESS=false": of(
    "Another process of the pod has the port, often another sidecar. Files are written, but probes cannot ask this sidecar",
    "Set `HEALTH_PORT`, or `LIVENESS=false` if nothing probes it",
  ),
  "a bug of the sidecar, which goes on: …": of(
    "An error that nothing of the sidecar waits for. Files and probes are not affected",
    "Report the line, with its `stack`",
  ),
  "Initial sync complete, sidecar is ready.": of(
    "Every source was listed and every file written: `objects`, `files`, and `seconds` since the collection started",
  ),
  "Initial sync complete; other collections are not ready yet.": of(
    "The same of one collection; `/readyz` names one that is not ready",
  ),
  "nothing is selected: there are no …. Check the spelling of the label, the namespaces and the kinds. `k8s-sidecar explain NAMESPACE/KIND/NAME` tells why an object is not selected":
    of(
      "The lists are complete and no object is selected. Objects that come later are followed",
      "Compare `LABEL`, `LABEL_VALUE`, `NAMESPACE` and `RESOURCE` with the object's labels, namespace and kind",
    ),
  "RESOURCE_NAME: there is no …": of(
    "An object that `RESOURCE_NAME` names does not exist. It is followed when it is created, unless `METHOD=LIST`",
    "Check name, kind and namespace",
  ),
  "List complete, all files are in place.": of("`METHOD=LIST` is done; the exit code is 0"),
  "List complete: … in place…": of(
    "`METHOD=LIST` is done, but some objects were refused; the exit code is 0",
    "See the lines `refused` before it",
  ),
  "List incomplete, not all objects could be read: … in place…": of(
    "`METHOD=LIST` could not read everything from the API server; the exit code is 3",
    "See the lines `incomplete` before it; run it again",
  ),
  "List incomplete, not all files could be written: … in place…": of(
    "`METHOD=LIST` could not write everything; the exit code is 4",
    "See the lines `incomplete` before it; check the volume",
  ),
  "incomplete: …": of("A reason why `METHOD=LIST` is incomplete", "See the reason"),
  "not downloaded within … s (URL_TIMEOUT): …": of(
    "`METHOD=LIST` did not wait any longer for these `*.url` downloads. Earlier files stay",
    "Raise `URL_TIMEOUT`, or check the hosts",
  ),
  "…: stopping": of("The process got SIGTERM or SIGINT, and ends within a second"),
  "… more lines of this kind were left out, the last one: …": of(
    "Lines of one kind came faster than the log takes them; the level is theirs",
    "See the last one for the cause",
  ),
  // Files
  "OBJECT: wrote …": of("Files of the object were created or changed: the path, or their number and the first paths"),
  "OBJECT: wrote PATH": of("The file of a `*.url` key, or an unpacked archive, was created or changed"),
  "OBJECT: removed …": of("Files of the object were removed, because it was deleted, changed or is no longer selected"),
  "OBJECT: PATH: …": of(
    "A download or an archive failed. An earlier file stays, and it is tried again with growing delays, unless `METHOD=LIST`",
    "See the reason: the host, `URL_TIMEOUT`, or the disk",
  ),
  "OBJECT: PATH is in place again": of("A download or an archive that failed or was refused works again"),
  "OBJECT: …": of(
    "A file of the object could not be written or removed; the line names it and the reason. It is tried again with growing delays (unless `METHOD=LIST`), or when what is in the way has changed",
    "No permission: `fsGroup`, `runAsUser`. Full: the volume's size. Something in the way: remove it",
  ),
  "OBJECT: all its files are in place again": of(
    "After a failure, the files of the object were written, or were right",
  ),
  "OBJECT refused: …": of(
    "The object, or one of its keys, cannot become a file: a folder outside of the allowed ones, no base64, too many keys. The last accepted files stay where the line says so",
    "Correct the object; or `ALLOWED_FOLDERS`, `MAX_FILES_PER_OBJECT`",
  ),
  "OBJECT refused: PATH: …": of(
    "A download or an archive is refused: its host, its size, or it is broken. The last accepted file stays",
    "`URL_ALLOWED_HOSTS`, the `URL_MAX_BYTES` settings, or correct the object",
  ),
  "OBJECT is no longer refused": of("The object was corrected"),
  "cannot read OBJECT again: …": of(
    "The object has to be read again, to restore a file or to take over a path, and the API server did not deliver it",
    "See the reason; it is tried again, unless `METHOD=LIST`",
  ),
  "PATH… claimed by OBJECT and OBJECT: OBJECT …, …; UNIQUE_FILENAMES=true gives each object its own file)": of(
    "Two objects have the same key and folder. One has the file; when it goes, the other gets it, with a line `wrote`",
    "Rename a key, set `UNIQUE_FILENAMES=true`, or `COLLISIONS=newest` if the older object is left over",
  ),
  "PATH… of OBJECT … not written: OBJECT, …), has …, and a path cannot be a file and a folder": of(
    "The key of one object has the name of another's folder",
    "Rename one of them",
  ),
  "adopted existing PATH: its content already matches": of(
    "A file that was there before has the right content, and is the sidecar's own now",
  ),
  "replaced existing PATH, which this sidecar had not written": of(
    "A file that somebody else wrote was replaced, because an object claims its path",
    "Nothing, unless the object has the wrong key",
  ),
  "rewrote existing PATH, not written by this sidecar": of(
    "The same with `ATOMIC_WRITES=false`",
    "Nothing, unless the object has the wrong key",
  ),
  "PATH is not the file that this sidecar wrote, so it is not removed": of(
    "Somebody else has changed or replaced the file of an object that is gone",
    "Remove it by hand if nobody needs it",
  ),
  "PATH cannot be opened within … s: somebody replaced it…": of(
    "A file was replaced by something whose opening blocks, such as a FIFO, or the volume does not answer",
    "Find out who writes to the folder",
  ),
  "the volume of PATH refuses file modes (chmod fails with …): files on it keep the mode that it gives them, here … instead of …":
    of("CIFS and some NFS and FUSE volumes have modes of their own", "Set the mode with the volume's mount options"),
  "cannot read the record PATH: files that only it names stay until an object claims them": of(
    "The record of the sidecar's own files cannot be read, so files of objects that were deleted meanwhile stay",
    RECORD,
  ),
  "… of … lines of the record PATH are not valid: files that only it names stay until an object claims them": of(
    "The record of the sidecar's own files is damaged, or of another version",
    RECORD,
  ),
  // Sources
  "…; retrying in … s": of(
    "A list or a watch failed: the API server cannot be reached (one line for all sources), refuses the credentials (401), or does not allow it (403, an error). Files stay as they are. The repeats are at debug level",
    `See the reason. ${RBAC}`,
  ),
  "following … again": of("A source that failed works again"),
  "not allowed to list and watch …: … namespaces are followed one by one": of(
    "One watch for all namespaces would cost less, but needs a ClusterRole",
    "Nothing, or grant it",
  ),
  "not allowed to get …: objects are read again by a list of one each; give the service account get, list and watch there by RBAC":
    of("The right `get` is missing; everything works, with larger requests", RBAC),
  "--manifests: the folder can be read again": of("The folder of manifests was away"),
  "…; its objects stay as they were": of("The folder of manifests cannot be read", "See the reason"),
  "…; the change is ignored until the file is valid": of(
    "A manifest has a fault; file and line are named. Its objects stay as they were",
    "Correct the file",
  ),
  "somebody else changed or removed …, which will be restored": of(
    "The check of the disk (`CHECK_PERIOD`) found files that are not as they were written: `path`, or `count` and `files`",
    "Find out who writes there, if it comes again",
  ),
  "…; the other keys are used": of(
    "A key in a manifest is not base64; file and line are named. Another line says that the object is refused in part",
    "Correct the key",
  ),
  "… is valid again": of("The manifest was corrected"),
  "downloads from … are paused for … s, then one of them is tried first: …": of(
    "The host of `*.url` keys answered 429 or 503. Other hosts are not affected, and files stay",
    "Raise `RESYNC_PERIOD`, or serve the content with an `ETag`",
  ),
  "downloads from … are no longer paused": of("The host answers again"),
  // Notifications
  "METHOD URL …": of("The webhook was called; the line has its answer"),
  "METHOD URL works again: …": of("The same, after a failure"),
  "METHOD URL failed: …; retrying": of(
    "The webhook cannot be reached or answers with an error that may pass. Told once; files are in place, and the notification is pending",
    "See the reason; `REQ_CA_FILE` for certificates",
  ),
  "METHOD URL failed: …. It is called again when files or credentials change, else in 1 to 30 minutes": of(
    "The application refuses the call",
    "401: `REQ_USERNAME` and `REQ_PASSWORD`, or the token. 404: the path in `REQ_URL`. 405: `REQ_METHOD`",
  ),
  "METHOD URL failed: …; the notification stays pending for the next start": of(
    "`METHOD=LIST` could not notify the application. Files are in place; the exit code is not affected",
    "As in the two lines above",
  ),
  "METHOD URL was not answered within … s (REQ_TIMEOUT); still waiting for the answer, and not calling again meanwhile":
    of("The application is slow, and a second call could start the same work twice", "Raise `REQ_TIMEOUT`"),
  "The webhook … a notification of an earlier run, which is pending. It is called again when files or credentials change, else in … s":
    of("The application refused the last notification before the restart", "See the lines of the earlier run"),
  "The record of pending notifications could not be updated: …. After a restart the application is notified again": of(
    "The disk did not accept it",
    "Check the volume",
  ),
  "Script PATH …": of("The script succeeded, or works again after a failure"),
  "Script PATH failed with exit code …": of(
    "The script failed; its last lines of output follow. It runs again with growing delays, and when files change",
    "See its output",
  ),
  "Script PATH cannot be run: …": of("It does not exist, or its interpreter is not in the image", "See the reason"),
  "Script PATH is not executable, and there is no sh in this image to run it: make it executable (for a ConfigMap volume defaultMode: 0755), or use the debug image":
    of("The image has no shell", "`defaultMode: 0755`, or a tag with `-debug`"),
  "Script PATH was ended because it took longer than … s (SCRIPT_TIMEOUT)": of(
    "The script and the processes that it started were killed",
    "Raise `SCRIPT_TIMEOUT`",
  ),
  "NETRC PATH cannot be used: …": of("Requests are sent without its credentials", "Correct the file"),
  "NETRC PATH can be used again": of("The file was corrected"),
  "…; … is used instead": of("A file with a user name or password cannot be read", "Check the mount of the file"),
  "PATH can be read again and is used instead of …": of("The file with the user name or password is there again"),
  "CAs of … are not trusted: …": of("A file of `REQ_CA_FILE` cannot be read or is not PEM", "Correct the file"),
  "CAs of … are trusted again": of("The file was corrected"),
  // CONFIG_FILE
  "the new CONFIG_FILE is not used; the sidecar goes on with the one before: …": of(
    "The new version has faults; each is named with line and column. Nothing changes",
    "Correct the file; `k8s-sidecar check` tells the same",
  ),
  "PATH was read again: …": of("A new version of `CONFIG_FILE` is in use, with these collections"),
  "PATH is unchanged": of("SIGHUP was received, and `CONFIG_FILE` has not changed"),
  "collection … was removed: its files stay in FOLDER": of(
    "It is no longer in `CONFIG_FILE`, and has `onRemove: keep`",
  ),
  "collection …: removed … from FOLDER": of(
    "It is no longer in `CONFIG_FILE`, or has another folder now; `default`: or another selection",
  ),
  "collection … left FOLDER, and its files cannot be removed: …": of(
    "The same, but the disk refuses it. It is tried again, unless `METHOD=LIST`",
    "Check the volume",
  ),
  // Finalizers and Events
  "Not allowed to set finalizers: …. Give the service account the verbs get and patch on configmaps and secrets by RBAC, or set FINALIZERS=false. Files are still written":
    of("`FINALIZERS=true` without the rights for it", RBAC),
  "OBJECT does not get the finalizer: …": of("The API server refuses the finalizer", "See the reason"),
  "could not add the finalizer to OBJECT: …": of(
    "The file was written without it, so the object may be deleted before its file",
    "See the reason",
  ),
  "could not add the finalizer to OBJECT: …; it is tried again at the object's next event or list": of(
    "The same, when the sidecar goes on",
    "See the reason",
  ),
  "OBJECT still carries the finalizer and cannot be deleted until it is removed: …": of(
    "The object's files are gone, but the API server did not accept the removal of the finalizer. It is tried again, unless `METHOD=LIST`",
    "See the reason; or [removing finalizers](#removing-finalizers)",
  ),
  "OBJECT does not carry the finalizer any more": of("After failures, the finalizer was removed"),
  "Finalizers can be set again": of("The rights were granted"),
  "removed finalizer … from OBJECT": of("`remove-finalizers` did its work for this object"),
  "Finalizer …: removed from … objects, … failures": of("`remove-finalizers` is done; the exit code is 0"),
  "Finalizer …: removed from … objects, … failures; fix the causes and run this again": of(
    "`remove-finalizers` is done in part; the exit code is 3",
    "See the lines before it",
  ),
  "…: …": of("`remove-finalizers` cannot list objects, or not remove the finalizer of one", "See the reason"),
  'Not allowed to … events in namespace "…": give the service account the verbs create and patch on events of the API groups "" and "events.k8s.io" there by RBAC':
    of("`EVENT_LOGGING=true` without the rights for it. Told once", RBAC),
  // Debug
  "--manifests: changes are not announced: …": of(
    "The file system announces no changes; the folder is read periodically",
  ),
  "changes of CONFIG_FILE are not announced: …": of("The same for `CONFIG_FILE`, which is read every minute"),
  "Calling again in … s…": of("When a webhook that failed is called again"),
  "METHOD URL …; retrying in … s": of("A retry within one call of the webhook"),
  "GET …; retrying in … s": of("A retry within one download"),
  "Running the script again in … s, or when files change": of("When a script that failed runs again"),
  "Script output": of("A line of the script's output, in the property `line`"),
  "Events are posted by core/v1: …": of("The API server does not serve `events.k8s.io/v1`"),
  "Events wait … s: …": of("The API server did not accept an Event; later ones wait"),
  "Events were dropped": of("There were more Events than may be posted; `total` counts them"),
  "no Event for OBJECT: …": of("The API server refused an Event"),
  "OBJECT: its namespace is not selected": of("`NAMESPACE_SELECTOR` or `NAMESPACE_EXCLUDE` leaves it out"),
  "listing … again: …": of("A watch cannot be resumed, which is normal after a time without changes"),
  "… PATH": of("With `DEBUG=true`: a request to the API server"),
  "… failed: …": of("A source failed, and another line tells of it"),
  "…: skipped …": of("Documents of a manifest that are neither ConfigMaps nor Secrets"),
};

function of(meaning: string, cure = ""): Meaning {
  return { meaning, cure };
}
