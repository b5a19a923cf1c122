{{- define "countersign.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* dict: root, part */}}
{{- define "countersign.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "countersign.labels" -}}
{{ include "countersign.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "countersign.image" -}}
{{ .root.Values.image.registry }}countersign-{{ .program }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- /* Is it in the network of its node? */}}
{{- define "countersign.atNodes" -}}
{{- if eq .Values.mode "hostNetwork" }}yes
{{- else if ne .Values.mode "loadBalancer" }}{{ fail (printf "mode is hostNetwork or loadBalancer, not %s" .Values.mode) }}
{{- end }}
{{- end }}

{{- /* Registrars as the others find them: a list of node, address, link. */}}
{{- define "countersign.registrars" -}}
{{- $r := .Values.registrar }}
{{- if include "countersign.atNodes" . }}
{{- range required "registrar.nodes says on which nodes registrars are" ($r.nodes | default nil) }}
- { node: {{ .name | quote }}, address: {{ .address | quote }}, link: {{ printf "%s:%v" .address $r.ports.link | quote }} }
{{- end }}
{{- else }}
{{- if ne (len $r.links) (int $r.replicas) }}{{ fail "registrar.links wants an address for each of registrar.replicas" }}{{ end }}
{{- range $i, $link := $r.links }}
- { node: "{{ include "countersign.name" $ }}-registrar-{{ $i }}", link: {{ printf "%s:%v" $link $r.ports.link | quote }} }
{{- end }}
{{- end }}
{{- end }}

{{- /* ---- configurations ---- */}}

{{- /* Ports that phones reach. */}}
{{- define "countersign.outside" -}}
{{- $p := .Values.registrar.ports }}
{{- merge (deepCopy .Values.registrar.loadBalancer.ports) (dict "sip" $p.sip "tls" $p.tls "wss" $p.wss) | toJson }}
{{- end }}

{{- define "countersign.redis" -}}
{{- mergeOverwrite (dict "user" .user "password_file" "redis.password")
    (required "redis says where Redis is" (.root.Values.redis | default nil)) | toYaml }}
{{- end }}

{{- /* dict: root, front, uid, rest, trunks */}}
{{- define "countersign.authdConfig" -}}
{{- $v := .root.Values }}
listen: { socket: /run/countersign/auth.sock, mode: "0660", users: [{{ .uid | quote }}]{{ if .trunks }}, signers: [{{ .uid | quote }}]{{ end }} }
redis:
  {{- include "countersign.redis" (dict "root" .root "user" "authd") | nindent 2 }}
nonce_key_file: nonce.key
seal_key_file: seal.key
{{- if .trunks }}
trunk_key_file: trunk.key
{{- end }}
http: { listen: "127.0.0.1:{{ .rest }}", admin_token_file: admin.token }
log: {{ $v.log | toJson }}
realms: [{ name: {{ required "domain is the SIP domain of the users" $v.domain | quote }} }]
peer_groups: [{ name: phones, require: { all_of: [digest] }, digest: { realm: {{ $v.domain | quote }} } }]
{{- end }}

{{- /* dict: root, it (of countersign.registrars) */}}
{{- define "countersign.registrarConfig" -}}
{{- $root := .root }}
{{- $v := .root.Values }}
{{- $it := .it }}
{{- $at := $it.address | default "0.0.0.0" }}
{{- $reached := "" }}
{{- if not $it.address }}{{ $reached = required "registrar.loadBalancer.address is what phones reach" $v.registrar.loadBalancer.address }}{{ end }}
{{- $outside := include "countersign.outside" $root | fromJson }}
{{- $tls := dict "certificates" (list (dict "certificate_file" "sip.crt" "key_file" "sip.key")) | toJson }}
node: {{ $it.node | quote }}
authd: { socket: /run/countersign/auth.sock }
redis:
  {{- include "countersign.redis" (dict "root" .root "user" "registrar") | nindent 2 }}
http: { listen: "127.0.0.1:8081" }
flow_key_file: flow.key
log: {{ $v.log | toJson }}
link:
  listen: {{ printf "%s:%v" $at $v.registrar.ports.link | quote }}
  {{- if not $it.address }}
  advertise: {{ $it.link | quote }}
  {{- end }}
  certificate_file: link-{{ $it.node }}.crt
  key_file: link-{{ $it.node }}.key
  ca_file: link-ca.crt
domains: [{{ $v.domain | quote }}]
limits: { drain: {{ $v.registrar.drain }} }
{{- if $v.b2bua.enabled }}
calls:
  bridges:
  {{- range required "b2bua.nodes says on which nodes b2bua is; or b2bua.enabled: false" ($v.b2bua.nodes | default nil) }}
    - { node: "b2bua-{{ .name }}", address: {{ printf "%s:%v" .address $v.b2bua.ports.link | quote }} }
  {{- end }}
{{- end }}
listeners:
{{- range $how, $port := dict "udp" $v.registrar.ports.sip "tcp" $v.registrar.ports.sip "tls" $v.registrar.ports.tls "wss" $v.registrar.ports.wss }}
{{- if or (ne $how "udp") (and $v.registrar.udp $it.address) }}
  - name: {{ $how }}
    transport: {{ $how }}
    address: {{ printf "%s:%v" $at $port | quote }}
    {{- if $reached }}
    advertise: {{ printf "%s:%v" $reached (get $outside (ternary "sip" $how (has $how (list "udp" "tcp")))) | quote }}
    {{- end }}
    {{- if has $how (list "tls" "wss") }}
    tls: {{ $tls }}
    {{- end }}
    {{- if eq $how "wss" }}
    websocket: { origins: [any] }
    {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* dict: root, it (of b2bua.nodes) */}}
{{- define "countersign.b2buaConfig" -}}
{{- $v := .root.Values }}
{{- $p := $v.b2bua.ports }}
node: "b2bua-{{ .it.name }}"
authd: { socket: /run/countersign/auth.sock }
http: { listen: "127.0.0.1:8084" }
log: {{ $v.log | toJson }}
link: { listen: {{ printf "%s:%v" .it.address $p.link | quote }}, certificate_file: link-b2bua-{{ .it.name }}.crt,
  key_file: link-b2bua-{{ .it.name }}.key, ca_file: link-ca.crt }
registrars:
{{- range include "countersign.registrars" .root | fromYamlArray }}
  - { node: {{ .node | quote }}, address: {{ .link | quote }} }
{{- end }}
{{- $peers := list }}
{{- $self := .it.name }}
{{- range $v.b2bua.nodes }}
{{- if ne .name $self }}{{ $peers = append $peers . }}{{ end }}
{{- end }}
{{- with $peers }}
peers:
{{- range . }}
  - { node: "b2bua-{{ .name }}", address: {{ printf "%s:%v" .address $p.link | quote }} }
{{- end }}
{{- end }}
domains: [{{ $v.domain | quote }}]
listeners:
  - { name: udp, transport: udp, address: {{ printf "%s:%v" .it.address $p.trunks | quote }} }
  - { name: tcp, transport: tcp, address: {{ printf "%s:%v" .it.address $p.trunks | quote }} }
media: { addresses: [{ name: phones, address: "{{ .it.address }}:0" }], first_port: {{ $p.firstMedia }}, last_port: {{ $p.lastMedia }} }
lines: { srtp: prefer }
cdr: { file: /var/lib/countersign/calls.json }
journal_file: /var/lib/countersign/calls.journal
limits: { drain: {{ $v.b2bua.drain }} }
context: lines
dialplan:
  contexts:
    - name: lines
      entries:
        - { pattern: "*43", to: [{ extension: "*43" }] }
        - { pattern: "T", to: [{ line: "{called}" }] }
        - { pattern: "user *", to: [{ line: "{called}" }] }
{{- end }}

{{- /* ---- pods ---- */}}

{{- define "countersign.confined" -}}
runAsUser: {{ . }}
runAsGroup: 64400
runAsNonRoot: true
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities: { drop: [ALL] }
{{- end }}

{{- /* csctl runs inside, because health listens on loopback alone. */}}
{{- define "countersign.probes" -}}
startupProbe:
  exec: { command: [/usr/bin/csctl, health] }
  timeoutSeconds: 5
  periodSeconds: 2
  failureThreshold: 30
readinessProbe:
  exec: { command: [/usr/bin/csctl, health] }
  timeoutSeconds: 5
  periodSeconds: 5
  failureThreshold: 2
livenessProbe:
  exec: { command: [/usr/bin/csctl, health, --live] }
  timeoutSeconds: 5
  periodSeconds: 10
  failureThreshold: 3
{{- end }}

{{- /* A duration of the configuration, in seconds. */}}
{{- define "countersign.seconds" -}}
{{- if not (regexMatch "^[0-9]+[sm]$" .) }}{{ fail (printf "drain is so many s or m, not %s" .) }}{{ end }}
{{- $n := regexFind "^[0-9]+" . | int }}
{{- if hasSuffix "m" . }}{{ mul $n 60 }}{{ else }}{{ $n }}{{ end }}
{{- end }}

{{- /* What all pods have. dict: root, grace, hostNetwork */}}
{{- define "countersign.pod" -}}
serviceAccountName: {{ include "countersign.name" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .grace }}
{{- if .hostNetwork }}
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsGroup: 64400
  fsGroup: 64400 # the socket's folder and the secrets are the group's
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "countersign.onNodes" -}}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - { key: kubernetes.io/hostname, operator: In, values: [{{ range $i, $n := . }}{{ if $i }}, {{ end }}{{ $n.name | quote }}{{ end }}] }
{{- end }}

{{- /* authd beside a front, a sidecar: it is there before the front starts, and until that has ended: a front that
drains has whom to ask. dict: root, rest */}}
{{- define "countersign.authd" -}}
- name: authd
  image: {{ include "countersign.image" (dict "root" .root "program" "authd") }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  restartPolicy: Always
  args: [--config, /etc/countersign/authd.yaml]
  env:
    - { name: CSCTL_URL, value: "http://127.0.0.1:{{ .rest }}" }
  securityContext:
    {{- include "countersign.confined" 64402 | nindent 4 }}
  {{- include "countersign.probes" . | nindent 2 }}
  resources: {{ toJson .root.Values.authd.resources }}
  volumeMounts:
    - { name: authd, mountPath: /etc/countersign, readOnly: true }
    - { name: auth-socket, mountPath: /run/countersign }
{{- end }}

{{- define "countersign.scrape" -}}
global: { scrape_interval: {{ .root.Values.monitoring.interval }} }
remote_write: [{ url: {{ .root.Values.monitoring.remoteWrite | quote }} }]
scrape_configs:
{{- $node := .node }}
{{- range $daemon, $port := .ports }}
  - job_name: countersign-{{ $daemon }}
    static_configs: [{ targets: ["127.0.0.1:{{ $port }}"], labels: { instance: {{ $node | quote }} } }]
{{- end }}
{{- end }}

{{- /* dict: root, port, file, field */}}
{{- define "countersign.agent" -}}
{{- with .root.Values.monitoring.remoteWrite }}
- name: prometheus
  image: {{ $.root.Values.monitoring.image }}
  imagePullPolicy: {{ $.root.Values.image.pullPolicy }}
  restartPolicy: Always
  args:
    - --enable-feature=agent
    - --config.file=/etc/prometheus/{{ $.file }}
    - --storage.agent.path=/data
    - --web.listen-address=127.0.0.1:{{ $.port }}
  env:
    - name: NODE
      valueFrom: { fieldRef: { fieldPath: {{ $.field }} } }
  securityContext:
    {{- include "countersign.confined" 65534 | nindent 4 }}
  resources: {{ toJson $.root.Values.monitoring.resources }}
  volumeMounts:
    - { name: monitoring, mountPath: /etc/prometheus, readOnly: true }
    - { name: samples, mountPath: /data }
{{- end }}
{{- end }}

{{- define "countersign.agentVolumes" -}}
{{- if .Values.monitoring.remoteWrite }}
- name: monitoring
  configMap: { name: {{ include "countersign.name" . }}-monitoring }
- name: samples
  emptyDir: { sizeLimit: 512Mi }
{{- end }}
{{- end }}

{{- /* Configuration and keys in one folder: files of root and fsGroup, which others may not read.
dict: root, name, config, secret */}}
{{- define "countersign.etc" -}}
- name: {{ .name }}
  projected:
    defaultMode: 0440
    sources:
      - configMap: { name: {{ include "countersign.name" .root }}-{{ .config }} }
      - secret: { name: {{ .secret }}, optional: false }
{{- end }}
