{{/* What each service is told: by serviceDefaults, and by its own values over these. */}}

{{/* (list under over): both as one, as YAML; what `over` says wins, false and empty included. */}}
{{- define "yikatong.merged" -}}
{{- $under := index . 0 -}}
{{- $over := index . 1 -}}
{{- $all := deepCopy $under -}}
{{- range $key, $value := $over -}}
{{- if and (kindIs "map" $value) (kindIs "map" (get $under $key)) -}}
{{- $_ := set $all $key (include "yikatong.merged" (list (get $under $key) $value) | fromYaml) -}}
{{- else -}}
{{- $_ := set $all $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $all -}}
{{- end }}

{{/* The services that are installed, as YAML: name -> all its values, names of Secrets filled in. */}}
{{- define "yikatong.services" -}}
{{- $root := . -}}
{{- $found := dict -}}
{{- range $name, $own := .Values.services -}}
{{- $service := include "yikatong.merged" (list $root.Values.serviceDefaults (default dict $own)) | fromYaml -}}
{{- if $service.enabled -}}
{{- $prefix := printf "%s-%s" (include "yikatong.fullname" $root) $name -}}
{{- $secrets := $service.secrets -}}
{{- range $purpose := list "tls" "keys" "database" -}}
{{- $_ := set $secrets $purpose (default (printf "%s-%s" $prefix $purpose) (get $secrets $purpose)) -}}
{{- end -}}
{{- if $root.Values.trial.enabled -}}
{{- $_ := set $secrets "redis" (include "yikatong.trialSecret" (list $root "redis")) -}}
{{- $_ := set $service "redisAddress" (printf "%s-redis:6379" (include "yikatong.fullname" $root)) -}}
{{- else -}}
{{- $_ := set $secrets "redis" (default $root.Values.redis.secret $secrets.redis) -}}
{{- $_ := set $service "redisAddress" (default $root.Values.redis.address $service.redisAddress) -}}
{{- end -}}
{{- if or (not $service.redis) (not $service.redisAddress) -}}
{{- $_ := set $service "redisAddress" "" -}}
{{- $_ := set $secrets "redis" "" -}}
{{- end -}}
{{- $_ := set $found $name $service -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end }}

{{- define "yikatong.trialSecret" -}}
{{- $root := index . 0 -}}
{{- default (printf "%s-%s" (include "yikatong.fullname" $root) (index . 1)) (get $root.Values.trial (index . 1)).secret -}}
{{- end }}

{{/* Host, port and TLS of a service's PostgreSQL, in libpq's form. Takes (list root databaseHost). */}}
{{- define "yikatong.databaseServer" -}}
{{- $root := index . 0 -}}
{{- $database := $root.Values.database -}}
{{- if $root.Values.trial.enabled -}}
host={{ include "yikatong.fullname" $root }}-postgresql port=5432 sslmode=disable
{{- else -}}
host={{ default $database.host (index . 1) }} port={{ $database.port }} sslmode={{ $database.sslMode }}
{{- if hasPrefix "verify-" $database.sslMode }} sslrootcert=/etc/yikatong/database/ca.crt{{ end }}
{{- end }} connect_timeout=10
{{- end }}

{{- define "yikatong.databaseCa" -}}
{{- if and (not .Values.trial.enabled) (hasPrefix "verify-" .Values.database.sslMode) -}}
{{- default (printf "%s-database-ca" (include "yikatong.fullname" .)) .Values.database.caSecret -}}
{{- end -}}
{{- end }}

{{/* The file that a service reads. Takes (dict root name service services migrate); `migrate` is the Job's, as the owner. */}}
{{- define "yikatong.settings" -}}
{{- $root := .root -}}
{{- $service := .service -}}
{{- $name := .name -}}
{{- $server := include "yikatong.databaseServer" (list $root $service.databaseHost) -}}
grpc_address = {{ $root.Values.listenHost }}:{{ $service.ports.grpc }}
health_address = {{ $root.Values.listenHost }}:{{ $service.ports.health }}
metrics_address = {{ $root.Values.listenHost }}:{{ $service.ports.metrics }}
tls_ca = /etc/yikatong/tls/ca.crt
tls_certificate = /etc/yikatong/tls/tls.crt
tls_key = /etc/yikatong/tls/tls.key
token_issuers = /etc/yikatong/issuers
drain_notice = {{ $root.Values.drain.noticeSeconds }}s
drain_deadline = {{ $root.Values.drain.deadlineSeconds }}s
{{- range $peer := $service.calls }}
{{- /* Without the Service's name every pod is seen, and calls go round; a peer that is not installed is not there. */}}
{{ $peer }}_address = dns:///{{ include "yikatong.fullname" $root }}-{{ $peer }}:{{ (get $.services $peer | default $service).ports.grpc }}
{{- end }}
{{- if $service.database }}
start_wait = {{ $root.Values.database.startWaitSeconds }}s
database_conninfo = {{ $server }} dbname={{ $name }} user={{ $name }}_app
{{- if .migrate }}
owner_conninfo = {{ $server }} dbname={{ $name }} user={{ $name }}_owner
owner_password_file = /etc/yikatong/database/owner
{{- if and $root.Values.restore.id (ne $name "auditlog") }}
restore_id = {{ $root.Values.restore.id }}
{{- end }}
{{- else }}
database_password_file = /etc/yikatong/database/runtime
{{- end }}
{{- end }}
{{- if $service.redisAddress }}
redis_address = {{ $service.redisAddress }}
{{- if and $service.secrets.redis (not .migrate) }}
redis_password_file = /etc/yikatong/redis/password
{{- end }}
{{- end }}
{{- if $service.database }}
{{- if ne $name "auditlog" }}
business_clock = {{ $root.Values.businessClock }}
{{- end }}
{{- end }}
{{- range $setting, $file := $service.keys }}
{{ $setting }} = /etc/yikatong/keys/{{ $file }}
{{- end }}
{{- with $service.storage }}
{{- if .setting }}
{{ .setting }} = /var/lib/yikatong/{{ .file }}
{{- end }}
{{- end }}
{{- $more := $service.settings }}
{{- if and (eq $name "auditlog") (not (hasKey $more "origin")) }}
{{- $more = merge (dict "origin" (printf "%s.%s/audit" (include "yikatong.fullname" $root) $root.Release.Namespace)) $more }}
{{- end }}
{{- range $setting, $value := $more }}
{{ $setting }} = {{ include "yikatong.text" $value }}
{{- end }}
{{- end }}
