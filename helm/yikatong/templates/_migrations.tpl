{{/* Migrations come before the release that needs them; only the trial's database is itself of the release. */}}

{{/* Takes the weight. A Job that failed stays, to be read, until the next one. */}}
{{- define "yikatong.migrationHook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation
{{- end }}
