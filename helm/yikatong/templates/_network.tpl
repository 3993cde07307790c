{{/* Parts of NetworkPolicies. */}}

{{/* One place of the values, as Kubernetes writes it. */}}
{{- define "yikatong.peer" -}}
{{- if .cidr -}}
- ipBlock:
    cidr: {{ .cidr }}
{{- else -}}
- podSelector: {{ with .podLabels }}{matchLabels: {{ toJson . }}}{{ else }}{}{{ end }}
{{- with .namespaceLabels }}
  namespaceSelector: {matchLabels: {{ toJson . }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "yikatong.peers" -}}
{{- range . }}
{{ include "yikatong.peer" . }}
{{- end }}
{{- end }}

{{/* The pods of one component. Takes (list root component). */}}
{{- define "yikatong.component" -}}
- podSelector:
    matchLabels:
      {{- include "yikatong.selector" . | nindent 6 }}
{{- end }}

{{/* Egress to resolve names. */}}
{{- define "yikatong.toNames" -}}
- to:
    {{- include "yikatong.peer" .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{/* Egress to PostgreSQL: the trial's own, or where the values say, or anywhere on its port. */}}
{{- define "yikatong.toDatabase" -}}
- ports:
    - {protocol: TCP, port: {{ .Values.trial.enabled | ternary 5432 .Values.database.port }}}
  {{- if .Values.trial.enabled }}
  to:
    {{- include "yikatong.component" (list . "postgresql") | nindent 4 }}
  {{- else }}
  {{- with .Values.networkPolicy.database }}
  to:
    {{- include "yikatong.peers" . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* Egress to Redis, likewise. Takes (list root redisAddress). */}}
{{- define "yikatong.toRedis" -}}
{{- $root := index . 0 -}}
- ports:
    - {protocol: TCP, port: {{ regexFind "[0-9]+$" (index . 1) }}}
  {{- if $root.Values.trial.enabled }}
  to:
    {{- include "yikatong.component" (list $root "redis") | nindent 4 }}
  {{- else }}
  {{- with $root.Values.networkPolicy.redis }}
  to:
    {{- include "yikatong.peers" . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}
