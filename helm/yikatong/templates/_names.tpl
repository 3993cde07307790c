{{/* Names, labels and images. */}}

{{- define "yikatong.fullname" -}}
{{- $chart := default .Chart.Name .Values.nameOverride -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) -}}
{{- default $name .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* What a workload is found by. Never changes between releases: selectors cannot. Takes (list root component). */}}
{{- define "yikatong.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "yikatong.labels" -}}
{{- $root := index . 0 -}}
{{ include "yikatong.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | quote }}
{{- with $root.Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The head of every object. Takes (list root component suffix); the suffix may be empty. */}}
{{- define "yikatong.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "yikatong.fullname" $root }}{{ with index . 2 }}-{{ . }}{{ end }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "yikatong.labels" . | nindent 2 }}
{{- end }}

{{/* Takes (list root image). */}}
{{- define "yikatong.image" -}}
{{- $image := (index . 0).Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}/{{ index . 1 }}:{{ default (index . 0).Chart.AppVersion $image.tag }}
{{- end }}

{{/* A PriorityClass is the whole cluster's, and its value can never be another: namespace and value are in its name. */}}
{{- define "yikatong.priority" -}}
{{- $own := printf "%s-%s-%d" .Release.Namespace (include "yikatong.fullname" .) (int64 .Values.priority.value) -}}
{{- default (ternary $own "" .Values.priority.create) .Values.priority.name -}}
{{- end }}

{{/* A value of the settings as text: a number is not to be written as 1e+06. */}}
{{- define "yikatong.text" -}}
{{- kindIs "string" . | ternary . (toJson .) -}}
{{- end }}
