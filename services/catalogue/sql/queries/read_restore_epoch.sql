-- Part of the name under which the audit log numbers our entries.
SELECT restore_epoch FROM numbering
