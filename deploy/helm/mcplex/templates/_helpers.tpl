{{/* A Deployment's selector can never change, so nothing is in it that may. */}}
{{- define "mcplex.selector" -}}
app.kubernetes.io/name: mcplex
app.kubernetes.io/component: controller
{{- end -}}

{{- define "mcplex.labels" -}}
app.kubernetes.io/name: mcplex
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") | quote }}
{{- end -}}

{{/* The reference of an image, given as (list $ image). */}}
{{- define "mcplex.image" -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* What the pods of Gateways run: the controller's image, but for what is said of it. */}}
{{- define "mcplex.proxyImage" -}}
{{- $own := .Values.proxy.image -}}
{{- if or $own.repository $own.tag $own.digest -}}
{{- $repository := $own.repository | default .Values.image.repository -}}
{{ include "mcplex.image" (list . (dict "repository" $repository "tag" $own.tag "digest" $own.digest)) }}
{{- else -}}
{{ include "mcplex.image" (list . .Values.image) }}
{{- end -}}
{{- end -}}

{{/* The lease by which controllers of this controllerName elect one: as leaseNameFor in src/kubernetes/controller/rights.ts. */}}
{{- define "mcplex.lease" -}}
{{- $name := .Values.controllerName -}}
{{- if eq $name "mcplex.dev/controller" -}}
mcplex-controller
{{- else -}}
mcplex-controller-{{ regexReplaceAll "[^a-z0-9]+" ($name | lower) "-" | trunc 40 | trimAll "-" }}-{{ sha256sum $name | trunc 8 }}
{{- end -}}
{{- end -}}

{{/* The controller's account, as bindings name it. */}}
{{- define "mcplex.subjects" -}}
- kind: ServiceAccount
  name: {{ .Values.serviceAccount.name | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end -}}
