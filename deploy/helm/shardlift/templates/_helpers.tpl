{{- define "shardlift.labels" -}}
{{ include "shardlift.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
{{- define "shardlift.selector" -}}
app.kubernetes.io/name: shardlift
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "shardlift.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary "shardlift" "default" .Values.serviceAccount.create) }}
{{- end }}
{{- define "shardlift.image" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
- {name: state, mountPath: /var/lib/shardlift}
- {name: tmp, mountPath: /tmp}
- {name: configuration, mountPath: /etc/shardlift, readOnly: true}
- {name: credentials, mountPath: /run/shardlift/credentials, readOnly: true}
{{- end }}
{{- define "shardlift.environment" -}}
- {name: SHARDLIFT_HOME, value: /var/lib/shardlift}
- {name: SHARDLIFT_PLATFORM, value: {{ .Values.platform }}}
- {name: SHARDLIFT_POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: CREDENTIALS_DIRECTORY, value: /run/shardlift/credentials}
{{- range $name, $value := .Values.engine.environment }}
- {name: {{ $name | quote }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}
