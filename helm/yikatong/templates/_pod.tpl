{{/* What every pod and container of the chart has in common, and the pod of a service. */}}

{{- define "yikatong.podSecurity" -}}
automountServiceAccountToken: false
{{- /* Else the cluster puts variables such as <SERVICE>_PORT into the pod, and a service refuses what it does not know. */}}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .Values.user }}
  runAsGroup: {{ .Values.user }}
  fsGroup: {{ .Values.user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "yikatong.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where the pods of a component go. Takes (list root component). */}}
{{- define "yikatong.spread" -}}
{{- $spread := (index . 0).Values.topologySpread -}}
topologySpreadConstraints:
  {{- range $key, $when := dict "kubernetes.io/hostname" $spread.nodes "topology.kubernetes.io/zone" $spread.zones }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $when }}
    labelSelector:
      matchLabels:
        {{- include "yikatong.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{/* The passwords of a database's roles, and its authority. Takes (dict root service roles). */}}
{{- define "yikatong.databaseVolume" -}}
- name: database
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ .service.secrets.database }}
          items:
            {{- range .roles }}
            - key: {{ . }}
              path: {{ . }}
            {{- end }}
      {{- with include "yikatong.databaseCa" .root }}
      - secret:
          name: {{ . }}
          items:
            - key: ca.crt
              path: ca.crt
      {{- end }}
{{- end }}

{{/* Takes (dict root name service services). */}}
{{- define "yikatong.pod" -}}
{{- $root := .root -}}
{{- $service := .service -}}
{{- $fullname := printf "%s-%s" (include "yikatong.fullname" $root) .name -}}
metadata:
  labels:
    {{- include "yikatong.labels" (list $root .name) | nindent 4 }}
  annotations:
    checksum/settings: {{ include "yikatong.settings" . | sha256sum }}
spec:
  {{- include "yikatong.podSecurity" $root | nindent 2 }}
  {{- with include "yikatong.priority" $root }}
  priorityClassName: {{ . }}
  {{- end }}
  # Its notice, while callers may still be told of it; its last calls; and some to end.
  terminationGracePeriodSeconds: {{ add $root.Values.drain.noticeSeconds $root.Values.drain.deadlineSeconds 15 }}
  {{- include "yikatong.spread" (list $root .name) | nindent 2 }}
  {{- with $service.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $service.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ include "yikatong.image" (list $root .name) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: [/usr/local/bin/{{ .name }}]
      args: [--config, /etc/yikatong/config/service.conf]
      ports:
        {{- range $port, $number := $service.ports }}
        - name: {{ $port }}
          containerPort: {{ $number }}
        {{- end }}
      # It listens once its schema is there, for which it waits less than this; without certificates or, with an adjustable date, the
      # catalogue it ends and is started again. Then: is the process alive; can it work, which is its own database and not draining.
      # Never a peer.
      startupProbe:
        grpc: {port: {{ $service.ports.health }}, service: liveness}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 60
      livenessProbe:
        grpc: {port: {{ $service.ports.health }}, service: liveness}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        grpc: {port: {{ $service.ports.health }}}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      resources:
        {{- toYaml $service.resources | nindent 8 }}
      securityContext:
        {{- include "yikatong.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/yikatong/config, readOnly: true}
        - {name: tls, mountPath: /etc/yikatong/tls, readOnly: true}
        - {name: issuers, mountPath: /etc/yikatong/issuers, readOnly: true}
        {{- if $service.keys }}
        - {name: keys, mountPath: /etc/yikatong/keys, readOnly: true}
        {{- end }}
        {{- if $service.database }}
        - {name: database, mountPath: /etc/yikatong/database, readOnly: true}
        {{- end }}
        {{- if $service.secrets.redis }}
        - {name: redis, mountPath: /etc/yikatong/redis, readOnly: true}
        {{- end }}
        {{- if $service.storage.setting }}
        - {name: storage, mountPath: /var/lib/yikatong}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ $fullname }}
    - name: tls
      secret:
        secretName: {{ $service.secrets.tls }}
        defaultMode: 0440
    - name: issuers
      configMap:
        name: {{ default (printf "%s-token-issuers" (include "yikatong.fullname" $root)) $root.Values.tokenIssuers }}
    {{- if $service.keys }}
    - name: keys
      secret:
        secretName: {{ $service.secrets.keys }}
        defaultMode: 0440
        items:
          {{- range $setting, $file := $service.keys }}
          - {key: {{ $file }}, path: {{ $file }}}
          {{- end }}
    {{- end }}
    {{- if $service.database }}
    {{- include "yikatong.databaseVolume" (dict "root" $root "service" $service "roles" (list "runtime")) | nindent 4 }}
    {{- end }}
    {{- with $service.secrets.redis }}
    - name: redis
      secret:
        secretName: {{ . }}
        defaultMode: 0440
        items:
          - {key: password, path: password}
    {{- end }}
{{- end }}
