{{/* Alerts are files that Prometheus reads as they are; what is not installed is left out of them here. */}}

{{/* An expression without those of its alternatives (an `or` on a line of its own is between them) that ask for a service which is not
     installed: ServiceDown would fire for ever. Empty where none is left. Takes (list root expression). */}}
{{- define "yikatong.alertOfInstalled" -}}
{{- $root := index . 0 -}}
{{- $installed := include "yikatong.services" $root | fromYaml -}}
{{- $kept := list -}}
{{- range $alternative := splitList "\nor\n" (index . 1 | trimSuffix "\n") -}}
{{- $asksForOthers := false -}}
{{- range $name, $_ := $root.Values.services -}}
{{- if and (not (hasKey $installed $name)) (contains (printf "service=%q" $name) $alternative) -}}
{{- $asksForOthers = true -}}
{{- end -}}
{{- end -}}
{{- if not $asksForOthers -}}
{{- $kept = append $kept $alternative -}}
{{- end -}}
{{- end -}}
{{- join "\nor\n" $kept -}}
{{- end }}
