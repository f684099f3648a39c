// Made of the server's OpenAPI document by build/types.mjs; not by hand. size: a data table

type Nothing = Record<string, never>;

export type APIToken = {
  id: string;
  name: string;
  scopes: ("read" | "broadcasts" | "senders" | "destinations" | "members" | "audit")[];
  user: string;
  createdAt: string;
  expiresAt: string;
  lastUsedAt?: string | null;
  lastAddress?: string | null;
  token?: string | null;
};

export type AcceptRequest = {
  token: string;
  displayName: string;
  password: string;
};

export type AddOutputRequest = {
  destination: string;
};

export type AlertHook = {
  url: string;
  active: boolean;
  failingSince?: string | null;
  waiting: number;
  secret?: string | null;
};

export type AlertRule = {
  kind: "loss" | "bitrate" | "offline" | "output" | "silence" | "black" | "frozen" | "no_signal" | "health";
  value?: number | null;
  seconds?: number | null;
};

export type Alerts = {
  rules: AlertRule[];
  byMail: boolean;
  recovery: boolean;
  webhook?: AlertHook | null;
};

export type AlertsRequest = {
  rules: AlertRule[];
  byMail: boolean;
  recovery: boolean;
  webhookURL?: string | null;
};

export type AuditEntry = {
  id: string;
  at: string;
  author?: string | null;
  authorName?: string | null;
  token?: string | null;
  authorKind: "user" | "visitor" | "device" | "operator" | "system";
  action: string;
  subject?: string | null;
  subjectName?: string | null;
  detail?: string | null;
};

export type BoardUpdate = {
  channel: "stable" | "beta" | "edge";
  report?: UpdateReport | null;
  reportedAt?: string | null;
};

export type Branding = {
  mode: "light" | "dark" | "darkest";
  brand: string;
  background?: string | null;
  text?: string | null;
  textOnPrimary?: string | null;
  videoBackground: string;
  spacing: number;
  border: "none" | "thin" | "fat";
  corners: "sharp" | "rounded" | "extra-rounded" | "circular";
  logoHeight: number;
  logo?: string | null;
  icon?: string | null;
};

export type BringIntoRoomRequest = {
  room: string;
};

export type Broadcast = {
  id: string;
  sender: string;
  state: "starting" | "live" | "degraded" | "interrupted" | "stopping" | "ended";
  step?: "lease" | "sender" | "media" | "outputs" | null;
  reason?: string | null;
  since?: string | null;
  createdAt: string;
  endedAt?: string | null;
  input: InputChoice;
  encoder: EncoderChoice;
  bufferMs: number;
  graceSeconds: number;
  outputs: ({
    id: string;
    destination: string;
    name: string;
    report?: OutputReport | null;
    room?: string | null;
  })[];
  ingest?: IngestReport | null;
  receiver?: {
    host: string;
    port?: number | null;
    pid?: number | null;
    uptimeSeconds?: number | null;
    restarts?: number | null;
  } | null;
  notes?: string[] | null;
  thumbnailAt?: string | null;
};

export type BroadcastEvent = {
  id: string;
  source: "sender" | "control";
  at: string;
  kind: string;
  state?: string | null;
  link?: string | null;
  subject?: string | null;
  reason?: string | null;
  user?: string | null;
  omitted?: number | null;
};

export type BroadcastEvents = {
  items: BroadcastEvent[];
  next?: string | null;
};

export type ChangeBoardUpdateRequest = {
  channel: "stable" | "beta" | "edge";
};

export type ChangeBrandingRequest = {
  mode?: "light" | "dark" | "darkest" | null;
  brand?: string | null;
  background?: string | null;
  text?: string | null;
  textOnPrimary?: string | null;
  videoBackground?: string | null;
  spacing?: number | null;
  border?: "none" | "thin" | "fat" | null;
  corners?: "sharp" | "rounded" | "extra-rounded" | "circular" | null;
  logoHeight?: number | null;
  logo?: string | null;
  icon?: string | null;
};

export type ChangeBroadcastRequest = {
  bitrate?: number | null;
  input?: InputChoice | null;
};

export type ChangeConfigurationRequest = {
  toml: string;
};

export type ChangeEmailRequest = {
  email: string;
  password: string;
};

export type ChangeHostRequest = {
  draining: boolean;
};

export type ChangeMeetingRequest = {
  title?: string | null;
  description?: string | null;
  type?: "video" | "audio" | "webinar" | "livestream" | null;
  scheduledStart?: string | null;
  scheduledEnd?: string | null;
  settings?: MeetingSettings | null;
};

export type ChangeMeetingSettingsRequest = {
  settings: MeetingSettings;
  locked: ("guestsAllowed" | "guestAccess" | "waitingRoom" | "chat" | "persistChat" | "maxParticipants" | "keepAliveSeconds" | "maxDurationMinutes" | "hostsRunAll" | "chatDays")[];
};

export type ChangePasswordRequest = {
  current: string;
  password: string;
};

export type ChangeProfileRequest = {
  displayName?: string | null;
  avatar?: string | null;
};

export type ChangeRolloutRequest = {
  move: "pause" | "resume" | "halt" | "end" | "rollBack";
};

export type ChangeSenderRequest = {
  name?: string | null;
};

export type ChangeSettingsRequest = {
  name?: string | null;
  locale?: "auto" | "en-US" | "de-DE" | null;
  registration?: "invite_only" | "open" | null;
  newCode?: boolean | null;
  terms?: string | null;
  termsURL?: string | null;
};

export type ChangeUserRequest = {
  role?: "member" | "host" | "admin" | null;
  active?: boolean | null;
  displayName?: string | null;
};

export type ChangeWordingRequest = {
  items: WordingItem[];
};

export type ChatMessage = {
  id: string;
  at: string;
  participant: string;
  name: string;
  text: string;
  isPinned: boolean;
};

export type Config = {
  release: string;
  ownerExists: boolean;
  sendsMail: boolean;
  organization?: House | null;
};

export type Configuration = {
  version: number;
  toml: string;
  createdAt: string;
};

export type ConfigurationAnswer = {
  version: number;
  result: "applied" | "refused" | "pending";
  reason?: string | null;
};

export type ConfirmEmailRequest = {
  token: string;
};

export type CreateAPITokenRequest = {
  name: string;
  scopes: ("read" | "broadcasts" | "senders" | "destinations" | "members" | "audit")[];
  expiresInSeconds?: number | null;
  password: string;
};

export type CreateMeetingRequest = {
  title: string;
  description?: string | null;
  type?: "video" | "audio" | "webinar" | "livestream" | null;
  draft?: boolean | null;
  scheduledStart?: string | null;
  scheduledEnd?: string | null;
  settings?: MeetingSettings | null;
};

export type CreatePlayerLinkRequest = {
  expiresInSeconds?: number | null;
};

export type CreateRolloutRequest = {
  version: string;
  plan: RolloutPlan;
  forced?: boolean | null;
};

export type CreateRoomRequest = {
  name: string;
};

export type CreateTokenRequest = {
  kind: "sender" | "pool";
  name?: string | null;
  expiresInSeconds?: number | null;
  configuration?: string | null;
  sender?: string | null;
};

export type CreateUserRequest = {
  email: string;
  displayName: string;
  role: "member" | "host" | "admin";
  password: string;
};

export type DayFigures = {
  day: string;
  broadcasts: number;
  broadcastSeconds: number;
  senders: number;
  rehearsals: number;
  meetings: number;
  meetingSeconds: number;
};

export type DeleteOrganizationRequest = {
  organization: string;
  password: string;
};

export type Delivery = {
  id: string;
  webhook: string;
  event: string;
  kind: string;
  number: number;
  state: "received" | "processing" | "processed" | "failed" | "retry_exhausted";
  attempts: number;
  summary: string;
  createdAt: string;
  attemptedAt?: string | null;
  finishedAt?: string | null;
  nextAttemptAt?: string | null;
  durationMs?: number | null;
  status?: number | null;
  error?: string | null;
  replayOf?: string | null;
  payload?: string | null;
};

export type Destination = {
  id: string;
  name: string;
  url: string;
  maskedSecret?: string | null;
  streamID?: string | null;
  srtMode?: "caller" | "listener" | null;
  latencyMs?: number | null;
};

export type DestinationRequest = {
  name: string;
  url?: string | null;
  preset?: "youtube" | "twitch" | null;
  secret?: string | null;
  streamID?: string | null;
  srtMode?: "caller" | "listener" | null;
  latencyMs?: number | null;
};

export type DestinationTest = {
  succeeded: boolean;
  steps: DestinationTestStep[];
};

export type DestinationTestStep = {
  step: "resolve" | "connect" | "secure" | "accept" | "listen";
  passed: boolean;
  reason?: string | null;
};

export type Diagnosis = {
  status: "healthy" | "degraded" | "unhealthy";
  probes: Probe[];
};

export type EncoderChoice = {
  id: "automatic" | "v4l2h264" | "v4l2h265" | "vah264" | "x264" | "openh264" | "x265";
  codec: "h264" | "h265";
  bitrate: number;
  audioBitrate: number;
  width: number;
  height: number;
  frameRate: number;
};

export type ErrorTracking = {
  own?: string | null;
  vendor?: string | null;
  trackers: ({
    whose: "own" | "vendor";
    waiting: number;
    taken: number;
    refused: number;
    dropped: number;
  })[];
};

export type ErrorTrackingRequest = {
  dsn: string;
};

export type EventKind = {
  name: "organization.renamed" | "organization.settings_changed" | "organization.branding_changed" | "organization.wording_changed" | "organization.meeting_settings_changed" | "slate.changed" | "slate.removed" | "room.created" | "room.removed" | "meeting.created" | "meeting.changed" | "meeting.started" | "meeting.ended" | "meeting.cancelled" | "meeting.guest_link_created" | "meeting.guest_link_withdrawn" | "meeting.guest_link_used" | "user.created" | "user.renamed" | "user.role_changed" | "user.activated" | "user.deactivated" | "user.removed" | "user.avatar_changed" | "user.alerts_changed" | "user.email_change_asked" | "user.email_changed" | "user.password_changed" | "user.password_reset_issued" | "user.password_reset" | "invitation.created" | "invitation.renewed" | "invitation.withdrawn" | "invitation.accepted" | "registration.asked" | "registration.needless" | "api_token.created" | "api_token.ended" | "organization.ownership_transferred" | "session.opened" | "session.ended" | "session.token_reused" | "enrollment.created" | "enrollment.withdrawn" | "device.enrolled" | "device.renamed" | "device.revoked" | "device.flagged" | "device.renewed" | "device.configured" | "host.drained" | "host.taken_back" | "device.modem_reset" | "device.speed_tested" | "device.channel_changed" | "rollout.created" | "rollout.changed" | "destination.created" | "destination.changed" | "destination.removed" | "destination.tested" | "broadcast.changed" | "broadcast.stopped" | "rehearsal.stopped" | "broadcast.output_added" | "broadcast.output_removed" | "broadcast.player_link_created" | "broadcast.player_link_revoked" | "recording.removed" | "organization.recording_settings_changed" | "mail.given_up" | "mail.held_back" | "server.error_tracking_changed" | "server.phone_home_changed" | "server.update_asked" | "webhook.created" | "webhook.changed" | "webhook.removed" | "webhook.secret_rotated" | "webhook.failing" | "broadcast.started" | "broadcast.state_changed" | "broadcast.ended" | "rehearsal.started" | "rehearsal.ended" | "output.state_changed" | "broadcast.alarm" | "recording.state_changed" | "sender.online" | "sender.offline" | "webhook.test";
};

export type GuestJoinRequest = {
  slug: string;
  organization?: string | null;
  token?: string | null;
  name: string;
};

export type GuestLink = {
  id: string;
  label: string;
  createdBy: string;
  createdAt: string;
  expiresAt: string;
  uses: number;
  mostUses: number;
  lastUsedAt?: string | null;
  preset?: "video_host" | "video_participant" | "video_guest" | "audio_host" | "audio_participant" | "audio_guest" | "webinar_host" | "webinar_participant" | "webinar_guest" | "webinar_viewer" | "livestream_host" | "livestream_participant" | "livestream_viewer" | null;
  url?: string | null;
};

export type GuestLinkRequest = {
  label: string;
  expiresInSeconds?: number | null;
  uses?: number | null;
  preset?: "video_host" | "video_participant" | "video_guest" | "audio_host" | "audio_participant" | "audio_guest" | "webinar_host" | "webinar_participant" | "webinar_guest" | "webinar_viewer" | "livestream_host" | "livestream_participant" | "livestream_viewer" | null;
};

export type HealthSnapshot = {
  id: string;
  at: string;
  occasion: "scheduled" | "manual";
  status: "healthy" | "degraded" | "unhealthy";
  probes: Probe[];
};

export type HealthSnapshots = {
  items: HealthSnapshot[];
  next?: string | null;
};

export type HomeCall = {
  id: string;
  at: string;
  occasion: "scheduled" | "manual";
  place: string;
  body: string;
  status?: number | null;
  fault?: string | null;
};

export type Host = {
  id: string;
  name: string;
  online: boolean;
  lastSeenAt?: string | null;
  version?: string | null;
  addresses: string[];
  portRange?: {
    first: number;
    last: number;
  } | null;
  hasRoom: boolean;
  draining: boolean;
  streams: number;
  allStreams?: number | null;
  capacity?: number | null;
  cpuPercent?: number | null;
};

export type House = {
  name: string;
  slug: string;
  branding: Branding;
};

export type Incident = {
  id: string;
  kind: "loss" | "bitrate" | "offline" | "output" | "silence" | "black" | "frozen" | "no_signal" | "health";
  name: string;
  broadcast?: string | null;
  reason?: string | null;
  openedAt: string;
  closedAt?: string | null;
};

export type IngestReport = {
  state: "waiting" | "flowing" | "interrupted";
  bitrate: number;
  keyFramesTotal: number;
  lostPacketsTotal: number;
  recoveredPacketsTotal: number;
  guardDroppedTotal: number;
  video?: "h264" | "h265" | null;
  width?: number | null;
  height?: number | null;
  paths: PathReport[];
  latencyMs?: number | null;
  slateMs?: number | null;
  deliveredPacketsTotal?: number | null;
};

export type Input = {
  id: string;
  kind: "test" | "v4l2" | "alsa" | "file";
  name: string;
  media: "video" | "audio" | "both";
  modes: VideoMode[];
};

export type InputChoice = {
  video: string;
  audio?: string | null;
};

export type Inventory = {
  links: Link[];
  inputs: Input[];
  encoders: VideoEncoder[];
};

export type Invitation = {
  id: string;
  email: string;
  role: "member" | "host" | "admin";
  state: "open" | "expired";
  createdAt: string;
  expiresAt: string;
  invitedBy: string;
  byCode?: boolean | null;
  message?: string | null;
  link?: string | null;
};

export type Invitations = {
  items: Invitation[];
};

export type InviteManyRequest = {
  csv: string;
  role: "member" | "host" | "admin";
  message?: string | null;
  expiresInSeconds?: number | null;
};

export type InviteRequest = {
  email: string;
  role: "member" | "host" | "admin";
  message?: string | null;
  expiresInSeconds?: number | null;
};

export type Join = {
  sent: boolean;
  link?: string | null;
};

export type JoinRequest = {
  organization: string;
  code: string;
  email: string;
  agrees?: boolean | null;
};

export type Link = {
  name: string;
  kind: "ethernet" | "wifi" | "cellular" | "virtual" | "other";
  state: "up" | "unaddressed" | "down";
  addresses: string[];
  mtu: number;
  reason?: string | null;
};

export type Location = {
  text?: string | null;
  position?: {
    latitude: number;
    longitude: number;
    altitudeMeters?: number | null;
  } | null;
};

export type Login = {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  address: string;
  userAgent: string;
  current: boolean;
};

export type LoginRequest = {
  email: string;
  password: string;
  organization?: string | null;
};

export type Meeting = {
  id: string;
  title: string;
  description?: string | null;
  type: "video" | "audio" | "webinar" | "livestream";
  state: "draft" | "scheduled" | "active" | "ended" | "cancelled";
  slug: string;
  joinURL: string;
  createdBy: string;
  createdAt: string;
  scheduledStart?: string | null;
  scheduledEnd?: string | null;
  startedAt?: string | null;
  endedAt?: string | null;
  room?: string | null;
  settings: MeetingSettings;
  effective: MeetingOptions;
  locked: ("guestsAllowed" | "guestAccess" | "waitingRoom" | "chat" | "persistChat" | "maxParticipants" | "keepAliveSeconds" | "maxDurationMinutes" | "hostsRunAll" | "chatDays")[];
  role: "viewer" | "guest" | "participant" | "co_host" | "host";
  preset: "video_host" | "video_participant" | "video_guest" | "audio_host" | "audio_participant" | "audio_guest" | "webinar_host" | "webinar_participant" | "webinar_guest" | "webinar_viewer" | "livestream_host" | "livestream_participant" | "livestream_viewer";
  mayRun: boolean;
};

export type MeetingChat = {
  items: ChatMessage[];
  next?: string | null;
};

export type MeetingDefaults = {
  settings: MeetingSettings;
  locked: ("guestsAllowed" | "guestAccess" | "waitingRoom" | "chat" | "persistChat" | "maxParticipants" | "keepAliveSeconds" | "maxDurationMinutes" | "hostsRunAll" | "chatDays")[];
  effective: MeetingOptions;
};

export type MeetingDoor = {
  title: string;
  type: "video" | "audio" | "webinar" | "livestream";
  state: "draft" | "scheduled" | "active" | "ended" | "cancelled";
  organization: string;
  slug: string;
  scheduledStart?: string | null;
  waits: boolean;
  preset: "video_host" | "video_participant" | "video_guest" | "audio_host" | "audio_participant" | "audio_guest" | "webinar_host" | "webinar_participant" | "webinar_guest" | "webinar_viewer" | "livestream_host" | "livestream_participant" | "livestream_viewer";
};

export type MeetingEntry = {
  state: "enters" | "waits" | "refused";
  preset: "video_host" | "video_participant" | "video_guest" | "audio_host" | "audio_participant" | "audio_guest" | "webinar_host" | "webinar_participant" | "webinar_guest" | "webinar_viewer" | "livestream_host" | "livestream_participant" | "livestream_viewer";
  waiting?: string | null;
  pass?: RoomPass | null;
};

export type MeetingEvent = {
  id: string;
  at: string;
  kind: "joined" | "left" | "promoted" | "demoted" | "kicked" | "renamed" | "admitted" | "allowed";
  participant: string;
  person: string;
  name: string;
  fromPreset?: "video_host" | "video_participant" | "video_guest" | "audio_host" | "audio_participant" | "audio_guest" | "webinar_host" | "webinar_participant" | "webinar_guest" | "webinar_viewer" | "livestream_host" | "livestream_participant" | "livestream_viewer" | null;
  toPreset?: "video_host" | "video_participant" | "video_guest" | "audio_host" | "audio_participant" | "audio_guest" | "webinar_host" | "webinar_participant" | "webinar_guest" | "webinar_viewer" | "livestream_host" | "livestream_participant" | "livestream_viewer" | null;
  actor?: string | null;
};

export type MeetingEvents = {
  items: MeetingEvent[];
  next?: string | null;
};

export type MeetingLookupRequest = {
  slug: string;
  organization?: string | null;
  token?: string | null;
};

export type MeetingOptions = {
  guestAccess: "disabled" | "link_only" | "open";
  waitingRoom: boolean;
  chat: boolean;
  persistChat: boolean;
  maxParticipants: number;
  keepAliveSeconds: number;
  maxDurationMinutes: number;
  hostsRunAll: boolean;
  chatDays: number;
};

export type MeetingPermissions = {
  audio: "allowed" | "on_request" | "denied";
  video: "allowed" | "on_request" | "denied";
  screenShare: "allowed" | "on_request" | "denied";
  waiting: "skip" | "until_host" | "until_admitted";
  plugins: "none" | "view" | "full";
  breakout: "none" | "move" | "full";
  recorder: "none" | "recorder" | "livestreamer";
  allowed: ("kick" | "pin" | "spotlight" | "disable_audio" | "disable_video" | "disable_screen_share" | "admit" | "accept_production" | "change_permissions" | "record" | "livestream" | "rename" | "see_participants" | "hidden" | "chat_public_receive" | "chat_public_text" | "chat_public_files" | "chat_private_receive" | "chat_private_text" | "chat_private_files" | "poll_create" | "poll_vote" | "poll_view")[];
};

export type MeetingPreset = {
  name: "video_host" | "video_participant" | "video_guest" | "audio_host" | "audio_participant" | "audio_guest" | "webinar_host" | "webinar_participant" | "webinar_guest" | "webinar_viewer" | "livestream_host" | "livestream_participant" | "livestream_viewer";
  type: "video" | "audio" | "webinar" | "livestream";
  role: "viewer" | "guest" | "participant" | "co_host" | "host";
  permissions: MeetingPermissions;
};

export type MeetingSettings = {
  guestsAllowed?: boolean | null;
  guestAccess?: "disabled" | "link_only" | "open" | null;
  waitingRoom?: boolean | null;
  chat?: boolean | null;
  persistChat?: boolean | null;
  maxParticipants?: number | null;
  keepAliveSeconds?: number | null;
  maxDurationMinutes?: number | null;
  hostsRunAll?: boolean | null;
  chatDays?: number | null;
};

export type Meetings = {
  items: Meeting[];
  next?: string | null;
};

export type NewPasswordRequest = {
  token: string;
  password: string;
};

export type Offer = {
  organization: string;
  email: string;
  role: "member" | "host" | "admin";
  expiresAt: string;
};

export type OfferRequest = {
  token: string;
};

export type Organization = {
  id: string;
  name: string;
  slug: string;
  slate?: Slate | null;
  locale?: "auto" | "en-US" | "de-DE" | null;
  branding?: Branding | null;
};

export type OutputReport = {
  id: string;
  state: "connecting" | "connected" | "retrying" | "failed";
  reason?: string | null;
  sentBytesTotal: number;
  droppedUnitsTotal: number;
  reconnectsTotal: number;
  keyFramesWantedTotal?: number | null;
};

export type PageError = {
  id: string;
};

export type PageErrorRequest = {
  kind: "error" | "rejection" | "render" | "media";
  name: string;
  message: string;
  stack?: string | null;
  path: string;
  trail?: PageStep[] | null;
};

export type PageStep = {
  msAgo: number;
  text: string;
};

export type PasswordResetLink = {
  sent: boolean;
  link?: string | null;
};

export type PasswordResetRequest = {
  email: string;
  organization?: string | null;
};

export type PathReport = {
  source: string;
  bitrate: number;
  packetsTotal: number;
  rttMs?: number | null;
  loss?: number | null;
};

export type PhoneHome = {
  place?: string | null;
  calls: HomeCall[];
};

export type PhoneHomeRequest = {
  url: string;
};

export type PlayerLink = {
  id: string;
  createdAt: string;
  expiresAt: string;
  players: number;
  url?: string | null;
};

export type Probe = {
  name: string;
  status: "healthy" | "degraded" | "unhealthy";
  latencyMs: number;
  detail?: string | null;
};

export type Problem = {
  type: string;
  title: string;
  status: number;
  detail?: string | null;
  faults?: {
    field: string;
    expected: string;
  }[] | null;
};

export type Recording = {
  id: string;
  broadcast: string;
  sender: string;
  name: string;
  state: "invoked" | "recording" | "uploading" | "processing" | "ready" | "errored" | "expired";
  reason?: string | null;
  createdAt: string;
  endedAt?: string | null;
  expiresAt?: string | null;
  bytes: number;
  durationMs: number;
  percent?: number | null;
  files?: RecordingFile[] | null;
};

export type RecordingFile = {
  number: number;
  bytes: number;
  sha256: string;
  beganAt: string;
  durationMs: number;
  codecs: string;
  width?: number | null;
  height?: number | null;
  stored: boolean;
};

export type RecordingLink = {
  number: number;
  url: string;
  name: string;
};

export type RecordingLinks = {
  items: RecordingLink[];
  expiresAt: string;
};

export type RecordingPage = {
  items: Recording[];
  next?: string | null;
};

export type RecordingSettings = {
  policy: "always" | "asked" | "never";
  keepDays: number;
};

export type RegisterRequest = {
  setupSecret: string;
  organizationName: string;
  organizationSlug: string;
  email: string;
  password: string;
  displayName: string;
};

export type Registration = {
  organization: string;
  terms?: string | null;
  termsURL?: string | null;
};

export type RegistrationCodeRequest = {
  organization: string;
  code: string;
};

export type Rehearsal = {
  id: string;
  sender: string;
  state: "starting" | "running" | "interrupted" | "stopping" | "ended";
  step?: "lease" | "sender" | "media" | "outputs" | null;
  reason?: string | null;
  createdAt: string;
  endsAt?: string | null;
  endedAt?: string | null;
  seconds: number;
  input: InputChoice;
  encoder: EncoderChoice;
  asked: number;
  heldBack?: string | null;
  bufferMs: number;
  mostBytes: number;
  report?: RehearsalReport | null;
};

export type RehearsalReport = {
  verdict: "ready" | "warnings" | "notReady" | "inconclusive";
  findings: ({
    kind: "failed_start" | "no_key_frame" | "vanished" | "interrupted" | "cut_short" | "loss" | "some_loss" | "too_little" | "little_reserve" | "late" | "sender" | "frames" | "no_sound" | "link_silent" | "link_loss" | "link_far" | "link_comes_and_goes" | "link_drops" | "link_plan";
    isFault: boolean;
    link?: string | null;
    value?: number | null;
    text: string;
    advice: string;
  })[];
  recommendation?: {
    bitrate: number;
    deliverable: number;
    isLimit: boolean;
  } | null;
  seconds: number;
  links: RehearsedLink[];
  bond?: {
    delivered: number;
    deliveredPackets: number;
    lostPackets: number;
    latencyMs?: number | null;
    latencyP95Ms?: number | null;
  } | null;
  asked: number[];
  made: number[];
  sentBytes: number;
};

export type RehearsalRequest = {
  sender: string;
  input?: InputChoice | null;
  encoder?: EncoderChoice | null;
  bufferMs?: number | null;
  links?: string[] | null;
  protection?: "throughput" | "balanced" | "bulletproof" | null;
  seconds?: number | null;
};

export type RehearsedLink = {
  name: string;
  carried: boolean;
  reason?: string | null;
  loss?: number | null;
  rttMs?: number | null;
  rttP95Ms?: number | null;
  delivered: number;
  share: number;
  capacity?: number | null;
  deliveredPackets: number;
  lostPackets: number;
  droppedPackets: number;
  mtu?: number | null;
  liveShare: number;
  sentBytes: number;
  leftBytes?: number | null;
};

export type Release = {
  version: string;
  sequence: number;
  channel: "stable" | "beta" | "edge";
  releasedAt: string;
  expiresAt: string;
  minimum: string;
  notes: string[];
  breaking: string[];
  machines: string[];
};

export type ResetModemAnswer = {
  modem: string;
  reason?: string | null;
};

export type ResetModemRequest = {
  modem: string;
  force?: boolean | null;
};

export type Rollout = {
  id: string;
  version: string;
  channel: "stable" | "beta" | "edge";
  state: "running" | "paused" | "halted" | "done" | "rolled_back";
  reason?: string | null;
  forced: boolean;
  plan: RolloutPlan;
  step: number;
  createdAt: string;
  endedAt?: string | null;
  boards: RolloutBoard[];
};

export type RolloutBoard = {
  sender: string;
  fate: "offered" | "switched" | "installed" | "failed" | "returned";
  reason?: string | null;
};

export type RolloutPlan = {
  canaries: string[];
  percentages: number[];
  soakSeconds: number;
  atOnce: number;
  failureCount: number;
  failurePercent: number;
  silenceSeconds: number;
};

export type Room = {
  id: string;
  name: string;
  createdAt: string;
};

export type RoomPass = {
  url: string;
  token: string;
  expiresAt: string;
};

export type RoomPassRequest = {
  use: "publish" | "play" | "join";
  minutes?: number | null;
  name?: string | null;
};

export type RotateSecretRequest = {
  overlapSeconds?: number | null;
};

export type RunningMeeting = {
  id: string;
  title: string;
  type: "video" | "audio" | "webinar" | "livestream";
  startedAt: string;
  durationSeconds: number;
  participants: ({
    name: string;
    role: "host" | "member" | "guest";
    away: boolean;
  })[];
};

export type Sender = {
  id: string;
  name: string;
  online: boolean;
  lastSeenAt?: string | null;
  agentVersion?: string | null;
  flaggedAt?: string | null;
  inventory: Inventory;
  configuration: {
    wanted: number;
    applied: number;
    reason?: string | null;
  };
  defaults?: {
    input: InputChoice;
    encoder: EncoderChoice;
  } | null;
  location?: Location | null;
  speedTests?: SpeedTest[] | null;
};

export type ServerOffer = {
  version: string;
  channel: "stable" | "beta" | "edge";
  releasedAt: string;
  expiresAt: string;
  notes: string[];
  breaking: string[];
  migrations: number[];
  bytes: number;
  refusal?: string | null;
};

export type ServerUpdate = {
  version: string;
  from: string;
  at: string;
  result: "installed" | "failed" | "wentBack" | "restored" | "stuck";
  reason?: string | null;
};

export type ServerUpdatePlace = {
  title: string;
  number: number;
  of: number;
};

export type ServerUpdateRequest = {
  move: "check" | "install" | "back" | "restore";
  version?: string | null;
  copy?: string | null;
  confirm?: string | null;
};

export type ServerUpdates = {
  enabled: boolean;
  serverName: string;
  installed: string;
  previous?: string | null;
  state: "idle" | "fetching" | "asked" | "working" | "returning";
  target?: string | null;
  place?: ServerUpdatePlace | null;
  fetchedBytes?: number | null;
  totalBytes?: number | null;
  refusal?: string | null;
  checkedAt?: string | null;
  checkFault?: string | null;
  offer?: ServerOffer | null;
  history: ServerUpdate[];
  copies: {
    name: string;
    madeAt: string;
  }[];
};

export type Session = {
  accessToken: string;
  expiresInSeconds: number;
  user: User;
  may: ("organization.view" | "organization.change" | "organization.delete" | "organization.transfer" | "users.view" | "users.manage" | "users.set_passwords" | "account.manage" | "audit.view" | "diagnostics.view" | "analytics.view" | "pool.manage" | "senders.view" | "senders.manage" | "senders.operate" | "destinations.view" | "destinations.manage" | "broadcasts.view" | "broadcasts.run" | "rooms.view" | "rooms.join" | "rooms.run" | "meetings.view" | "meetings.run" | "recordings.view" | "recordings.manage" | "webhooks.manage" | "reports.manage" | "updates.manage" | "server.manage")[];
};

export type Settings = {
  name: string;
  locale: "auto" | "en-US" | "de-DE";
  registration: "invite_only" | "open";
  code?: string | null;
  link?: string | null;
  terms?: string | null;
  termsURL?: string | null;
};

export type Setup = {
  ownerExists: boolean;
  sendsMail: boolean;
};

export type Share = {
  name: "users" | "senders" | "destinations" | "broadcasts" | "webhooks" | "files" | "storage";
  used: number;
  limit: number;
};

export type Slate = {
  kind: "png" | "jpeg";
  width: number;
  height: number;
  bytes: number;
};

export type SpeedTest = {
  link: string;
  at: string;
  upload?: number | null;
  rttMs?: number | null;
  reason?: string | null;
};

export type SpeedTestRequest = {
  link: string;
};

export type StartRequest = {
  sender: string;
  destinations: string[];
  input?: InputChoice | null;
  encoder?: EncoderChoice | null;
  bufferMs?: number | null;
  links?: string[] | null;
  protection?: "throughput" | "balanced" | "bulletproof" | null;
  graceSeconds?: number | null;
  record?: boolean | null;
};

export type Storage = {
  areas: ({
    name: "branding" | "avatars" | "slate";
    files: number;
    bytes: number;
  })[];
  used: number;
  limit: number;
  deliveryDays: number;
  healthDays: number;
  disk?: {
    database: number;
    copies: number;
    free: number;
    total: number;
  } | null;
};

export type Ticket = {
  ticket: string;
};

export type Token = {
  id: string;
  kind: "sender" | "pool";
  name?: string | null;
  expiresAt: string;
  device?: string | null;
  sender?: string | null;
  token?: string | null;
};

export type TransferRequest = {
  user: string;
  password: string;
};

export type UpdateOutcome = {
  release: string;
  reason: string;
};

export type UpdateReport = {
  machine: string;
  installed: string;
  release?: string | null;
  previous?: string | null;
  phase: "idle" | "preparing" | "proving" | "returning";
  underWay?: string | null;
  fetchedBytes?: number | null;
  totalBytes?: number | null;
  failed: string[];
  outcome?: UpdateOutcome | null;
  last?: string | null;
};

export type Upload = {
  url: string;
  name: string;
  expiresInSeconds: number;
};

export type UploadRequest = {
  sha256: string;
  kind: "png" | "jpg" | "webp";
  bytes: number;
};

export type User = {
  id: string;
  email: string;
  displayName: string;
  role: "owner" | "admin" | "host" | "member";
  active: boolean;
  organization: Organization;
  avatar?: string | null;
};

export type Versions = {
  version: string;
  uptimeSeconds: number;
  upgrades: {
    step: number;
    name: string;
    appliedAt: string;
    version: string;
  }[];
};

export type VideoEncoder = {
  id: "automatic" | "v4l2h264" | "v4l2h265" | "vah264" | "x264" | "openh264" | "x265";
  codec: "h264" | "h265";
  hardware: boolean;
};

export type VideoMode = {
  width: number;
  height: number;
  frames: number;
  frameSeconds: number;
  format: string;
};

export type WaitingGuest = {
  id: string;
  name: string;
  preset: "video_host" | "video_participant" | "video_guest" | "audio_host" | "audio_participant" | "audio_guest" | "webinar_host" | "webinar_participant" | "webinar_guest" | "webinar_viewer" | "livestream_host" | "livestream_participant" | "livestream_viewer";
  since: string;
};

export type WaitingRequest = {
  token: string;
};

export type Webhook = {
  id: string;
  url: string;
  description: string;
  kinds?: string[] | null;
  active: boolean;
  failingSince?: string | null;
  skipped: number;
  createdAt: string;
  changedAt: string;
  olderSecretUntil?: string | null;
  waiting: number;
  secret?: string | null;
};

export type WebhookRequest = {
  url: string;
  description: string;
  kinds?: ("organization.renamed" | "organization.settings_changed" | "organization.branding_changed" | "organization.wording_changed" | "organization.meeting_settings_changed" | "slate.changed" | "slate.removed" | "room.created" | "room.removed" | "meeting.created" | "meeting.changed" | "meeting.started" | "meeting.ended" | "meeting.cancelled" | "meeting.guest_link_created" | "meeting.guest_link_withdrawn" | "meeting.guest_link_used" | "user.created" | "user.renamed" | "user.role_changed" | "user.activated" | "user.deactivated" | "user.removed" | "user.avatar_changed" | "user.alerts_changed" | "user.email_change_asked" | "user.email_changed" | "user.password_changed" | "user.password_reset_issued" | "user.password_reset" | "invitation.created" | "invitation.renewed" | "invitation.withdrawn" | "invitation.accepted" | "registration.asked" | "registration.needless" | "api_token.created" | "api_token.ended" | "organization.ownership_transferred" | "session.opened" | "session.ended" | "session.token_reused" | "enrollment.created" | "enrollment.withdrawn" | "device.enrolled" | "device.renamed" | "device.revoked" | "device.flagged" | "device.renewed" | "device.configured" | "host.drained" | "host.taken_back" | "device.modem_reset" | "device.speed_tested" | "device.channel_changed" | "rollout.created" | "rollout.changed" | "destination.created" | "destination.changed" | "destination.removed" | "destination.tested" | "broadcast.changed" | "broadcast.stopped" | "rehearsal.stopped" | "broadcast.output_added" | "broadcast.output_removed" | "broadcast.player_link_created" | "broadcast.player_link_revoked" | "recording.removed" | "organization.recording_settings_changed" | "mail.given_up" | "mail.held_back" | "server.error_tracking_changed" | "server.phone_home_changed" | "server.update_asked" | "webhook.created" | "webhook.changed" | "webhook.removed" | "webhook.secret_rotated" | "webhook.failing" | "broadcast.started" | "broadcast.state_changed" | "broadcast.ended" | "rehearsal.started" | "rehearsal.ended" | "output.state_changed" | "broadcast.alarm" | "recording.state_changed" | "sender.online" | "sender.offline" | "webhook.test")[] | null;
  active: boolean;
};

export type WordingItem = {
  locale: "en-US" | "de-DE";
  key: string;
  text: string;
};

/** What each operation takes and gives. */
export interface Operations {
  /** What the organisation did on each of the last days, by UTC: what began then, however long it lasted. For the role admin and those above it. */
  getAnalyticsDays: { path: { days?: string }; body: undefined; answer: {
    items: DayFigures[];
  } };
  /** List one's API tokens; for admins, those of all users. For every user of the organisation. */
  getApiTokens: { path: Nothing; body: undefined; answer: {
    items: APIToken[];
  } };
  /** Make an API token, which is shown this once; for 90 days, or up to a year. For every user of the organisation. */
  postApiTokens: { path: Nothing; body: CreateAPITokenRequest; answer: APIToken };
  /** End one of one's API tokens; an admin ends anybody's. For every user of the organisation. */
  deleteApiTokensById: { path: { id: string }; body: undefined; answer: undefined };
  /** The last 100 entries of the audit log. For the role admin and those above it. */
  getAudit: { path: Nothing; body: undefined; answer: {
    items: AuditEntry[];
  } };
  /** Confirm a new mail address by such a link. For anybody. */
  putAuthEmail: { path: Nothing; body: ConfirmEmailRequest; answer: undefined };
  /** What a link invites to. For anybody. */
  postAuthInvitation: { path: Nothing; body: OfferRequest; answer: Offer };
  /** Accept an invitation: become a user, and sign in. For anybody. */
  postAuthInvitationAccept: { path: Nothing; body: AcceptRequest; answer: Session };
  /** Sign in. For anybody. */
  postAuthLogin: { path: Nothing; body: LoginRequest; answer: Session };
  /** End this session. For every user of the organisation. */
  postAuthLogout: { path: Nothing; body: undefined; answer: undefined };
  /** Who is signed in. For every user of the organisation. */
  getAuthMe: { path: Nothing; body: undefined; answer: User };
  /** Change one's own name or picture. For every user of the organisation. */
  patchAuthMe: { path: Nothing; body: ChangeProfileRequest; answer: User };
  /** What one is told of, and how. For every user of the organisation. */
  getAuthMeAlerts: { path: Nothing; body: undefined; answer: Alerts };
  /** Choose what one is told of, and how; the signing secret of another address is in this answer and in no other. For every user of the organisation. */
  putAuthMeAlerts: { path: Nothing; body: AlertsRequest; answer: Alerts };
  /** An address, good for ten minutes, that a picture of oneself of these bytes is sent to. For every user of the organisation. */
  postAuthMeAvatar: { path: Nothing; body: UploadRequest; answer: Upload };
  /** Have a link sent to another mail address, which becomes one's own when it is followed within an hour. For every user of the organisation. */
  postAuthMeEmail: { path: Nothing; body: ChangeEmailRequest; answer: undefined };
  /** The last 100 things that one was told of, the newest first. For every user of the organisation. */
  getAuthMeIncidents: { path: Nothing; body: undefined; answer: {
    items: Incident[];
  } };
  /** Change one's password; one's other sessions and API tokens end. For every user of the organisation. */
  putAuthPassword: { path: Nothing; body: ChangePasswordRequest; answer: undefined };
  /** Ask for a mail with a link for a new password; answered alike whether the address has an account or not. For anybody. */
  postAuthPasswordReset: { path: Nothing; body: PasswordResetRequest; answer: undefined };
  /** Choose a new password by such a link, once and within an hour; all sessions and API tokens end. For anybody. */
  putAuthPasswordReset: { path: Nothing; body: NewPasswordRequest; answer: undefined };
  /** A new access token for the refresh token in the cookie, which is replaced. For anybody. */
  postAuthRefresh: { path: Nothing; body: undefined; answer: Session };
  /** Become the first owner, by the setup secret. For anybody. */
  postAuthRegister: { path: Nothing; body: RegisterRequest; answer: Session };
  /** What an organisation's code lets people register with. For anybody. */
  postAuthRegistration: { path: Nothing; body: RegistrationCodeRequest; answer: Registration };
  /** Ask for an account by an organisation's code: a mail has the link that goes on; where none is sent, the answer. For anybody. */
  postAuthRegistrationRequest: { path: Nothing; body: JoinRequest; answer: Join };
  /** End all of one's sessions but this one. For every user of the organisation. */
  deleteAuthSessions: { path: Nothing; body: undefined; answer: undefined };
  /** One's open sessions. For every user of the organisation. */
  getAuthSessions: { path: Nothing; body: undefined; answer: {
    items: Login[];
  } };
  /** End one of one's sessions. For every user of the organisation. */
  deleteAuthSessionsById: { path: { id: string }; body: undefined; answer: undefined };
  /** A ticket that opens one WebSocket within 30 s. For every user of the organisation. */
  postAuthTicket: { path: Nothing; body: undefined; answer: Ticket };
  /** A picture of a person, by an address that is signed for it. For anybody. */
  getBlobsAvatarsByOrganizationByName: { path: { organization: string; name: string; expires?: string; signature?: string }; body: undefined; answer: Blob };
  /** Send a file to the address that was signed for it and for this session. For every user of the organisation. */
  putBlobsAvatarsByOrganizationByName: { path: { organization: string; name: string; expires?: string; signature?: string }; body: Blob; answer: undefined };
  /** A picture of an organisation's pages. For anybody. */
  getBlobsBrandingByOrganizationByName: { path: { organization: string; name: string }; body: undefined; answer: Blob };
  /** Send a file to the address that was signed for it and for this session. For the role admin and those above it. */
  putBlobsBrandingByOrganizationByName: { path: { organization: string; name: string; expires?: string; signature?: string }; body: Blob; answer: undefined };
  /** The organisation's last 100 broadcasts, the newest first. For every user of the organisation. */
  getBroadcasts: { path: Nothing; body: undefined; answer: {
    items: Broadcast[];
  } };
  /** Start a broadcast to at least one destination, each named once: a wish, carried out step by step. For the role host and those above it. */
  postBroadcasts: { path: Nothing; body: StartRequest; answer: Broadcast };
  /** One broadcast. For every user of the organisation. */
  getBroadcastsById: { path: { id: string }; body: undefined; answer: Broadcast };
  /** Change the bitrate or the input while it runs. For the role host and those above it. */
  patchBroadcastsById: { path: { id: string }; body: ChangeBroadcastRequest; answer: Broadcast };
  /** What happened to a broadcast, and who asked for what: its flight recorder without the figures, a part of it. For every user of the organisation. */
  getBroadcastsByIdEvents: { path: { id: string; order?: string; after?: string; limit?: string }; body: undefined; answer: BroadcastEvents };
  /** Add an output to a running broadcast, to a destination that it has none for. For the role host and those above it. */
  postBroadcastsByIdOutputs: { path: { id: string }; body: AddOutputRequest; answer: Broadcast };
  /** Take an output off a running broadcast; without its last one it goes on, degraded. For the role host and those above it. */
  deleteBroadcastsByIdOutputsByOutput: { path: { id: string; output: string }; body: undefined; answer: Broadcast };
  /** Try an output again now, where its destination is by now. For the role host and those above it. */
  postBroadcastsByIdOutputsByOutputRetry: { path: { id: string; output: string }; body: undefined; answer: Broadcast };
  /** The links of a running broadcast for players outside the dashboard, the newest first. For the role host and those above it. */
  getBroadcastsByIdPlayers: { path: { id: string }; body: undefined; answer: {
    items: PlayerLink[];
  } };
  /** Make a link by which players outside take a running broadcast as HLS; it is in this answer and in no other. For the role host and those above it. */
  postBroadcastsByIdPlayers: { path: { id: string }; body: CreatePlayerLinkRequest; answer: PlayerLink };
  /** Revoke such a link: whoever plays by it gets nothing more. For the role host and those above it. */
  deleteBroadcastsByIdPlayersByPlayer: { path: { id: string; player: string }; body: undefined; answer: undefined };
  /** The flight recorder: what happened and why, and the figures each 5 s; a JSON line each. For every user of the organisation. */
  getBroadcastsByIdRecorder: { path: { id: string }; body: undefined; answer: Blob };
  /** Have a running broadcast join a room, as a participant named after its sender; it leaves with its output. For the role host and those above it. */
  postBroadcastsByIdRooms: { path: { id: string }; body: BringIntoRoomRequest; answer: Broadcast };
  /** Stop a broadcast; no error where it is over already. For the role host and those above it. */
  postBroadcastsByIdStop: { path: { id: string }; body: undefined; answer: Broadcast };
  /** The newest picture of a running broadcast, small, of the time that its thumbnailAt tells. For every user of the organisation. */
  getBroadcastsByIdThumbnail: { path: { id: string }; body: undefined; answer: Blob };
  /** What pages need to know before anybody has signed in, and whose they are where that is known. For anybody. */
  getConfig: { path: { organization?: string }; body: undefined; answer: Config };
  /** List the organisation's destinations. For the role host and those above it. */
  getDestinations: { path: Nothing; body: undefined; answer: {
    items: Destination[];
  } };
  /** Add a destination. For the role admin and those above it. */
  postDestinations: { path: Nothing; body: DestinationRequest; answer: Destination };
  /** Remove a destination that no broadcast goes to. For the role admin and those above it. */
  deleteDestinationsById: { path: { id: string }; body: undefined; answer: undefined };
  /** One destination. For the role host and those above it. */
  getDestinationsById: { path: { id: string }; body: undefined; answer: Destination };
  /** Change a destination; its secret is kept where none is given and the place stays; outputs follow at their next attempt. For the role admin and those above it. */
  putDestinationsById: { path: { id: string }; body: DestinationRequest; answer: Destination };
  /** Try a destination that no broadcast goes to, from a pool host: as an output would, without media. For the role admin and those above it. */
  postDestinationsByIdTest: { path: { id: string }; body: undefined; answer: DestinationTest };
  /** The last 100 deliveries to all webhooks, the newest first. For the role admin and those above it. */
  getDiagnosticsDeliveries: { path: Nothing; body: undefined; answer: {
    items: Delivery[];
  } };
  /** One delivery, with what is sent. For the role admin and those above it. */
  getDiagnosticsDeliveriesById: { path: { id: string }; body: undefined; answer: Delivery };
  /** Deliver an event again, behind what waits; where it still waits itself, its webhook is tried at once. For the role admin and those above it. */
  postDiagnosticsDeliveriesByIdReplay: { path: { id: string }; body: undefined; answer: Delivery };
  /** Where the server's errors are told; in the organisation that the server was set up with. For the organisation's owner. */
  getDiagnosticsErrorTracking: { path: Nothing; body: undefined; answer: ErrorTracking };
  /** Tell the server's errors to another tracker, from the next one on, or to none; in the organisation that the server was set up with. For the organisation's owner. */
  putDiagnosticsErrorTracking: { path: Nothing; body: ErrorTrackingRequest; answer: ErrorTracking };
  /** Whether the parts the server needs answer. For the role admin and those above it. */
  getDiagnosticsHealth: { path: Nothing; body: undefined; answer: Diagnosis };
  /** Ask all of them now, and keep what they say. For the role admin and those above it. */
  postDiagnosticsHealth: { path: Nothing; body: undefined; answer: HealthSnapshot };
  /** The organisation's meetings that run, since when, and who is in them. For the role admin and those above it. */
  getDiagnosticsMeetings: { path: Nothing; body: undefined; answer: {
    items: RunningMeeting[];
  } };
  /** Who is told how the server is, and the last 100 times; in the organisation that the server was set up with. For the organisation's owner. */
  getDiagnosticsPhoneHome: { path: Nothing; body: undefined; answer: PhoneHome };
  /** Tell it now; in the organisation that the server was set up with. For the organisation's owner. */
  postDiagnosticsPhoneHome: { path: Nothing; body: undefined; answer: HomeCall };
  /** Have another address told with each health check, or nobody from now on; in the organisation that the server was set up with. For the organisation's owner. */
  putDiagnosticsPhoneHome: { path: Nothing; body: PhoneHomeRequest; answer: PhoneHome };
  /** How the server was, each five minutes and when somebody asked: the newest first, as long as they are kept, a part of it. For the role admin and those above it. */
  getDiagnosticsSnapshots: { path: { after?: string; limit?: string }; body: undefined; answer: HealthSnapshots };
  /** The server's version, how long it has run, and the upgrades of its database, the newest first. For the role admin and those above it. */
  getDiagnosticsVersions: { path: Nothing; body: undefined; answer: Versions };
  /** List the organisation's tokens. For the role admin and those above it. */
  getEnrollmentTokens: { path: Nothing; body: undefined; answer: {
    items: Token[];
  } };
  /** Make a token for one new sender, or for a new key of one that is there. For the role admin and those above it. */
  postEnrollmentTokens: { path: Nothing; body: CreateTokenRequest; answer: Token };
  /** Withdraw a token. For the role admin and those above it. */
  deleteEnrollmentTokensById: { path: { id: string }; body: undefined; answer: undefined };
  /** Tell of an error of the web application. For anybody. */
  postErrors: { path: Nothing; body: PageErrorRequest; answer: PageError };
  /** List the invitations nobody has accepted yet. For the role admin and those above it. */
  getInvitations: { path: Nothing; body: undefined; answer: {
    items: Invitation[];
  } };
  /** Invite somebody to become a user of a lower role; where the server sends no mail, the link is in the answer. For the role admin and those above it. */
  postInvitations: { path: Nothing; body: InviteRequest; answer: Invitation };
  /** Invite up to 200 people by lines of CSV, email or email,role; none of them where a line cannot be taken. For the role admin and those above it. */
  postInvitationsCsv: { path: Nothing; body: InviteManyRequest; answer: Invitations };
  /** Take an invitation back. For the role admin and those above it. */
  deleteInvitationsById: { path: { id: string }; body: undefined; answer: undefined };
  /** Send an invitation again, with a new link and another week; the link before opens nothing any more. For the role admin and those above it. */
  postInvitationsByIdResend: { path: { id: string }; body: undefined; answer: Invitation };
  /** Come to a meeting as a guest, by its address or a guest link: a pass for its room, or what one waits by. For anybody. */
  postJoinGuest: { path: Nothing; body: GuestJoinRequest; answer: MeetingEntry };
  /** What stands behind a meeting's address, for a guest; what guests do not come to is answered as what is not there. For anybody. */
  postJoinLookup: { path: Nothing; body: MeetingLookupRequest; answer: MeetingDoor };
  /** Whether one is let in by now: asked each 5 s; after 90 s of silence, or ten minutes, one waits no more. For anybody. */
  postJoinWaiting: { path: Nothing; body: WaitingRequest; answer: MeetingEntry };
  /** What somebody may do in a meeting, by its type and their role. For every user of the organisation. */
  getMeetingPresets: { path: Nothing; body: undefined; answer: {
    items: MeetingPreset[];
  } };
  /** The organisation's meetings, the newest first, a part of them; by their state, or the one of an address. For every user of the organisation. */
  getMeetings: { path: { state?: string; slug?: string; after?: string; limit?: string }; body: undefined; answer: Meetings };
  /** Make a meeting: active at once, for later, or a draft. For the role host and those above it. */
  postMeetings: { path: Nothing; body: CreateMeetingRequest; answer: Meeting };
  /** One meeting, with what holds in it and what one is in it. For every user of the organisation. */
  getMeetingsById: { path: { id: string }; body: undefined; answer: Meeting };
  /** Change what is given of a meeting of one's own that is not over; admins, of any. For the role host and those above it. */
  patchMeetingsById: { path: { id: string }; body: ChangeMeetingRequest; answer: Meeting };
  /** Call a meeting of one's own off, whatever it is; one that runs ends; admins, any. For the role host and those above it. */
  postMeetingsByIdCancel: { path: { id: string }; body: undefined; answer: Meeting };
  /** What all could read in a meeting of one's own, the oldest first, a part of it; admins, of any. For the role host and those above it. */
  getMeetingsByIdChat: { path: { id: string; after?: string; limit?: string }; body: undefined; answer: MeetingChat };
  /** End a meeting of one's own: whoever is in it is sent away, and its guest links are good no more; admins, any. For the role host and those above it. */
  postMeetingsByIdEnd: { path: { id: string }; body: undefined; answer: Meeting };
  /** Who came and went in a meeting of one's own, and who did what to whom, the oldest first, a part of it; admins, of any. For the role host and those above it. */
  getMeetingsByIdEvents: { path: { id: string; after?: string; limit?: string }; body: undefined; answer: MeetingEvents };
  /** The guest links of a meeting of one's own that are still good, the newest first; admins, of any. For the role host and those above it. */
  getMeetingsByIdGuestLinks: { path: { id: string }; body: undefined; answer: {
    items: GuestLink[];
  } };
  /** Make a link by which one guest comes, or some, for four hours or as long as is said; it is in this answer and in no other. For the role host and those above it. */
  postMeetingsByIdGuestLinks: { path: { id: string }; body: GuestLinkRequest; answer: GuestLink };
  /** Withdraw such a link: nobody comes by it any more. For the role host and those above it. */
  deleteMeetingsByIdGuestLinksByLink: { path: { id: string; link: string }; body: undefined; answer: undefined };
  /** Come to a meeting: a pass for its room, good for five minutes, or that one waits for a host; its hosts begin it. For every user of the organisation. */
  postMeetingsByIdJoin: { path: { id: string }; body: undefined; answer: MeetingEntry };
  /** Begin a meeting of one's own now, and make its room; admins, any. For the role host and those above it. */
  postMeetingsByIdStart: { path: { id: string }; body: undefined; answer: Meeting };
  /** The guests who wait to be let into a meeting of which one is a host, in the order in which they came. For the role host and those above it. */
  getMeetingsByIdWaiting: { path: { id: string }; body: undefined; answer: {
    items: WaitingGuest[];
  } };
  /** Let all of them in, once the meeting is active. For the role host and those above it. */
  postMeetingsByIdWaitingAdmit: { path: { id: string }; body: undefined; answer: undefined };
  /** Send one of them away. For the role host and those above it. */
  deleteMeetingsByIdWaitingByGuest: { path: { id: string; guest: string }; body: undefined; answer: undefined };
  /** Let one of them in, once the meeting is active. For the role host and those above it. */
  postMeetingsByIdWaitingByGuestAdmit: { path: { id: string; guest: string }; body: undefined; answer: undefined };
  /** Delete the organisation with everything in it, by its short name and one's password; not while a broadcast runs. For the organisation's owner. */
  deleteOrganization: { path: Nothing; body: DeleteOrganizationRequest; answer: undefined };
  /** One's organisation. For every user of the organisation. */
  getOrganization: { path: Nothing; body: undefined; answer: Organization };
  /** What the organisation's pages look like. For every user of the organisation. */
  getOrganizationBranding: { path: Nothing; body: undefined; answer: Branding };
  /** Change what is given of it; colours that nobody can read are refused. For the role admin and those above it. */
  patchOrganizationBranding: { path: Nothing; body: ChangeBrandingRequest; answer: Branding };
  /** An address, good for ten minutes, that a logo or an icon of these bytes is sent to. For the role admin and those above it. */
  postOrganizationBrandingUpload: { path: Nothing; body: UploadRequest; answer: Upload };
  /** What the organisation has decided for its meetings. For every user of the organisation. */
  getOrganizationMeetingSettings: { path: Nothing; body: undefined; answer: MeetingDefaults };
  /** Decide it anew, all of it, and what of it no meeting decides for itself. For the role admin and those above it. */
  putOrganizationMeetingSettings: { path: Nothing; body: ChangeMeetingSettingsRequest; answer: MeetingDefaults };
  /** Make another active user the owner, by one's password; whoever was it becomes an admin. For the organisation's owner. */
  putOrganizationOwner: { path: Nothing; body: TransferRequest; answer: User };
  /** Whether broadcasts are recorded, and how long recordings are kept. For every user of the organisation. */
  getOrganizationRecordingSettings: { path: Nothing; body: undefined; answer: RecordingSettings };
  /** Decide whether broadcasts are recorded, and how long recordings are kept after their broadcast's end. For the role admin and those above it. */
  putOrganizationRecordingSettings: { path: Nothing; body: RecordingSettings; answer: RecordingSettings };
  /** The organisation's settings, with the code by which people register. For the role admin and those above it. */
  getOrganizationSettings: { path: Nothing; body: undefined; answer: Settings };
  /** Change the settings that are given; an open registration has a code of the server's making. For the role admin and those above it. */
  patchOrganizationSettings: { path: Nothing; body: ChangeSettingsRequest; answer: Settings };
  /** Show the receiver's own picture again, from the next broadcast on. For the role admin and those above it. */
  deleteOrganizationSlate: { path: Nothing; body: undefined; answer: undefined };
  /** The picture that is shown while a sender is silent. For every user of the organisation. */
  getOrganizationSlate: { path: Nothing; body: undefined; answer: Blob };
  /** Show this PNG or JPEG file of at most 96 KiB while a sender is silent, from the next broadcast on. For the role admin and those above it. */
  putOrganizationSlate: { path: Nothing; body: Blob; answer: undefined };
  /** What the organisation's files take, and how long what is kept by itself is kept; with the server's disk where it looks after it. For the role admin and those above it. */
  getOrganizationStorage: { path: Nothing; body: undefined; answer: Storage };
  /** How much of what it may have the organisation has. For the role admin and those above it. */
  getOrganizationUsage: { path: Nothing; body: undefined; answer: {
    items: Share[];
  } };
  /** The texts that the organisation's pages have in its own words. For every user of the organisation. */
  getOrganizationWording: { path: Nothing; body: undefined; answer: {
    items: WordingItem[];
  } };
  /** Change these texts; an empty one is the catalogue's own again. For the role admin and those above it. */
  patchOrganizationWording: { path: Nothing; body: ChangeWordingRequest; answer: {
    items: WordingItem[];
  } };
  /** List the pool's hosts, with the organisation's own streams on each. For the role admin and those above it. */
  getPool: { path: Nothing; body: undefined; answer: {
    items: Host[];
  } };
  /** Have a pool host take no new streams, or again; in the organisation that the server was set up with. For the role admin and those above it. */
  patchPoolById: { path: { id: string }; body: ChangeHostRequest; answer: Host };
  /** The WebSocket of a running broadcast's live preview, fMP4 for MediaSource: ?broadcast=ID&ticket=T. For anybody. */
  getPreview: { path: Nothing; body: undefined; answer: undefined };
  /** The organisation's recordings, the newest first, a part of them; what was removed only where that is asked for. For every user of the organisation. */
  getRecordings: { path: { search?: string; state?: string; sender?: string; from?: string; to?: string; before?: string; limit?: string }; body: undefined; answer: RecordingPage };
  /** Remove a recording for good, wherever its files are by now. For the role admin and those above it. */
  deleteRecordingsById: { path: { id: string }; body: undefined; answer: undefined };
  /** One recording, with its files. For every user of the organisation. */
  getRecordingsById: { path: { id: string }; body: undefined; answer: Recording };
  /** Addresses by which whoever has them reads its files for ten minutes, with ranges; asked again there are new ones. For every user of the organisation. */
  postRecordingsByIdLinks: { path: { id: string }; body: undefined; answer: RecordingLinks };
  /** The organisation's last 20 rehearsals with their reports, the newest first. For every user of the organisation. */
  getRehearsals: { path: Nothing; body: undefined; answer: {
    items: Rehearsal[];
  } };
  /** Rehearse a broadcast: the same way without outputs, for a minute; a start of the sender ends it. For the role host and those above it. */
  postRehearsals: { path: Nothing; body: RehearsalRequest; answer: Rehearsal };
  /** One rehearsal, with its report once it is over. For every user of the organisation. */
  getRehearsalsById: { path: { id: string }; body: undefined; answer: Rehearsal };
  /** Stop a rehearsal; no error where it is over already. For the role host and those above it. */
  postRehearsalsByIdStop: { path: { id: string }; body: undefined; answer: Rehearsal };
  /** The releases for boards that the operator has published, the newest first. For the organisation's owner. */
  getReleases: { path: Nothing; body: undefined; answer: {
    items: Release[];
  } };
  /** The last 50 rollouts of releases to the organisation's boards, the newest first. For the organisation's owner. */
  getRollouts: { path: Nothing; body: undefined; answer: {
    items: Rollout[];
  } };
  /** Begin to bring a release to the organisation's boards: canaries, then parts of them; one rollout at a time. For the organisation's owner. */
  postRollouts: { path: Nothing; body: CreateRolloutRequest; answer: Rollout };
  /** One rollout, and what became of it on each board. For the organisation's owner. */
  getRolloutsById: { path: { id: string }; body: undefined; answer: Rollout };
  /** Pause, resume, halt or end a rollout; or roll it back: boards that have the release go back to what they had. For the organisation's owner. */
  patchRolloutsById: { path: { id: string }; body: ChangeRolloutRequest; answer: Rollout };
  /** List the organisation's rooms. For every user of the organisation. */
  getRooms: { path: Nothing; body: undefined; answer: {
    items: Room[];
  } };
  /** Make a room. For the role host and those above it. */
  postRooms: { path: Nothing; body: CreateRoomRequest; answer: Room };
  /** Remove a room: whoever is in it is sent away, and its passes are good no more. For the role host and those above it. */
  deleteRoomsById: { path: { id: string }; body: undefined; answer: undefined };
  /** A pass by which an encoder sends into the room (WHIP), a player receives from it (WHEP), or a guest joins it. For the role host and those above it. */
  postRoomsByIdPasses: { path: { id: string }; body: RoomPassRequest; answer: RoomPass };
  /** A pass by which one joins the room oneself, within five minutes. For every user of the organisation. */
  postRoomsByIdTickets: { path: { id: string }; body: undefined; answer: RoomPass };
  /** List the organisation's senders. For every user of the organisation. */
  getSenders: { path: Nothing; body: undefined; answer: {
    items: Sender[];
  } };
  /** Revoke a sender: its connection and its broadcast end at once. For the role admin and those above it. */
  deleteSendersById: { path: { id: string }; body: undefined; answer: undefined };
  /** One sender. For every user of the organisation. */
  getSendersById: { path: { id: string }; body: undefined; answer: Sender };
  /** Rename a sender. For the role admin and those above it. */
  patchSendersById: { path: { id: string }; body: ChangeSenderRequest; answer: Sender };
  /** Give a sender a new configuration. For the role admin and those above it. */
  putSendersByIdConfiguration: { path: { id: string }; body: ChangeConfigurationRequest; answer: ConfigurationAnswer };
  /** A sender's configurations, the newest first. For every user of the organisation. */
  getSendersByIdConfigurations: { path: { id: string }; body: undefined; answer: {
    items: Configuration[];
  } };
  /** Restart a modem that is stuck; one that carries the only working link of a live broadcast where it is forced. For the role host and those above it. */
  postSendersByIdModemReset: { path: { id: string }; body: ResetModemRequest; answer: ResetModemAnswer };
  /** A small picture of an input that no broadcast uses, at most five seconds old: the sender is asked for it. For the role host and those above it. */
  getSendersByIdPicture: { path: { id: string; input: string }; body: undefined; answer: Blob };
  /** Measure what one link of a sender that sends nothing uploads, for five seconds and at most 64 MiB. For the role host and those above it. */
  postSendersByIdSpeedTest: { path: { id: string }; body: SpeedTestRequest; answer: SpeedTest };
  /** Which release a sender has, as its updater said last, and which channel it follows. For every user of the organisation. */
  getSendersByIdUpdates: { path: { id: string }; body: undefined; answer: BoardUpdate };
  /** Have a sender follow another channel: it takes releases of that one and of the steadier ones. For the organisation's owner. */
  putSendersByIdUpdates: { path: { id: string }; body: ChangeBoardUpdateRequest; answer: BoardUpdate };
  /** The server's version, the release it is offered, and its updates; in the organisation that the server was set up with. For the organisation's owner. */
  getServerUpdates: { path: Nothing; body: undefined; answer: ServerUpdates };
  /** Look for releases, install the one that is offered, go back, or restore a copy of the database; in the organisation that the server was set up with. For the organisation's owner. */
  postServerUpdates: { path: Nothing; body: ServerUpdateRequest; answer: ServerUpdates };
  /** Whether the server has an owner, and sends mails. For anybody. */
  getSetup: { path: Nothing; body: undefined; answer: Setup };
  /** List the organisation's users. For the role admin and those above it. */
  getUsers: { path: Nothing; body: undefined; answer: {
    items: User[];
  } };
  /** Add a user of a lower role. For the role admin and those above it. */
  postUsers: { path: Nothing; body: CreateUserRequest; answer: User };
  /** Remove a user of a lower role for good; the audit log keeps the name, and the address may be invited again. For the role admin and those above it. */
  deleteUsersById: { path: { id: string }; body: undefined; answer: undefined };
  /** Change a user's name or role, shut them out or let them in again. For the role admin and those above it. */
  patchUsersById: { path: { id: string }; body: ChangeUserRequest; answer: User };
  /** Send a user of a lower role a link for a new password; where the server sends no mail, it is in the answer. For the role admin and those above it. */
  postUsersByIdPasswordReset: { path: { id: string }; body: undefined; answer: PasswordResetLink };
  /** List the organisation's webhooks. For the role admin and those above it. */
  getWebhooks: { path: Nothing; body: undefined; answer: {
    items: Webhook[];
  } };
  /** Have events told to an address; its signing secret is in this answer and in no other. For the role admin and those above it. */
  postWebhooks: { path: Nothing; body: WebhookRequest; answer: Webhook };
  /** The kinds of events there are. For the role admin and those above it. */
  getWebhooksEvents: { path: Nothing; body: undefined; answer: {
    items: EventKind[];
  } };
  /** Remove a webhook, with what waits for it. For the role admin and those above it. */
  deleteWebhooksById: { path: { id: string }; body: undefined; answer: undefined };
  /** One webhook. For the role admin and those above it. */
  getWebhooksById: { path: { id: string }; body: undefined; answer: Webhook };
  /** Change a webhook; what waits for it is tried at once. For the role admin and those above it. */
  putWebhooksById: { path: { id: string }; body: WebhookRequest; answer: Webhook };
  /** The last 100 deliveries to a webhook, the newest first. For the role admin and those above it. */
  getWebhooksByIdDeliveries: { path: { id: string }; body: undefined; answer: {
    items: Delivery[];
  } };
  /** Make a new signing secret, in this answer alone; the one before signs beside it for a day or as long as is said. For the role admin and those above it. */
  postWebhooksByIdSecret: { path: { id: string }; body: RotateSecretRequest; answer: Webhook };
  /** Tell a webhook that this is a test, behind what waits for it. For the role admin and those above it. */
  postWebhooksByIdTest: { path: { id: string }; body: undefined; answer: Delivery };
}

/** The method and the path of each. */
export const operations: Record<keyof Operations, readonly [method: string, path: string]> = {
  getAnalyticsDays: ["GET", "/api/v1/analytics/days"],
  getApiTokens: ["GET", "/api/v1/api-tokens"],
  postApiTokens: ["POST", "/api/v1/api-tokens"],
  deleteApiTokensById: ["DELETE", "/api/v1/api-tokens/{id}"],
  getAudit: ["GET", "/api/v1/audit"],
  putAuthEmail: ["PUT", "/api/v1/auth/email"],
  postAuthInvitation: ["POST", "/api/v1/auth/invitation"],
  postAuthInvitationAccept: ["POST", "/api/v1/auth/invitation/accept"],
  postAuthLogin: ["POST", "/api/v1/auth/login"],
  postAuthLogout: ["POST", "/api/v1/auth/logout"],
  getAuthMe: ["GET", "/api/v1/auth/me"],
  patchAuthMe: ["PATCH", "/api/v1/auth/me"],
  getAuthMeAlerts: ["GET", "/api/v1/auth/me/alerts"],
  putAuthMeAlerts: ["PUT", "/api/v1/auth/me/alerts"],
  postAuthMeAvatar: ["POST", "/api/v1/auth/me/avatar"],
  postAuthMeEmail: ["POST", "/api/v1/auth/me/email"],
  getAuthMeIncidents: ["GET", "/api/v1/auth/me/incidents"],
  putAuthPassword: ["PUT", "/api/v1/auth/password"],
  postAuthPasswordReset: ["POST", "/api/v1/auth/password-reset"],
  putAuthPasswordReset: ["PUT", "/api/v1/auth/password-reset"],
  postAuthRefresh: ["POST", "/api/v1/auth/refresh"],
  postAuthRegister: ["POST", "/api/v1/auth/register"],
  postAuthRegistration: ["POST", "/api/v1/auth/registration"],
  postAuthRegistrationRequest: ["POST", "/api/v1/auth/registration/request"],
  deleteAuthSessions: ["DELETE", "/api/v1/auth/sessions"],
  getAuthSessions: ["GET", "/api/v1/auth/sessions"],
  deleteAuthSessionsById: ["DELETE", "/api/v1/auth/sessions/{id}"],
  postAuthTicket: ["POST", "/api/v1/auth/ticket"],
  getBlobsAvatarsByOrganizationByName: ["GET", "/api/v1/blobs/avatars/{organization}/{name}"],
  putBlobsAvatarsByOrganizationByName: ["PUT", "/api/v1/blobs/avatars/{organization}/{name}"],
  getBlobsBrandingByOrganizationByName: ["GET", "/api/v1/blobs/branding/{organization}/{name}"],
  putBlobsBrandingByOrganizationByName: ["PUT", "/api/v1/blobs/branding/{organization}/{name}"],
  getBroadcasts: ["GET", "/api/v1/broadcasts"],
  postBroadcasts: ["POST", "/api/v1/broadcasts"],
  getBroadcastsById: ["GET", "/api/v1/broadcasts/{id}"],
  patchBroadcastsById: ["PATCH", "/api/v1/broadcasts/{id}"],
  getBroadcastsByIdEvents: ["GET", "/api/v1/broadcasts/{id}/events"],
  postBroadcastsByIdOutputs: ["POST", "/api/v1/broadcasts/{id}/outputs"],
  deleteBroadcastsByIdOutputsByOutput: ["DELETE", "/api/v1/broadcasts/{id}/outputs/{output}"],
  postBroadcastsByIdOutputsByOutputRetry: ["POST", "/api/v1/broadcasts/{id}/outputs/{output}/retry"],
  getBroadcastsByIdPlayers: ["GET", "/api/v1/broadcasts/{id}/players"],
  postBroadcastsByIdPlayers: ["POST", "/api/v1/broadcasts/{id}/players"],
  deleteBroadcastsByIdPlayersByPlayer: ["DELETE", "/api/v1/broadcasts/{id}/players/{player}"],
  getBroadcastsByIdRecorder: ["GET", "/api/v1/broadcasts/{id}/recorder"],
  postBroadcastsByIdRooms: ["POST", "/api/v1/broadcasts/{id}/rooms"],
  postBroadcastsByIdStop: ["POST", "/api/v1/broadcasts/{id}/stop"],
  getBroadcastsByIdThumbnail: ["GET", "/api/v1/broadcasts/{id}/thumbnail"],
  getConfig: ["GET", "/api/v1/config"],
  getDestinations: ["GET", "/api/v1/destinations"],
  postDestinations: ["POST", "/api/v1/destinations"],
  deleteDestinationsById: ["DELETE", "/api/v1/destinations/{id}"],
  getDestinationsById: ["GET", "/api/v1/destinations/{id}"],
  putDestinationsById: ["PUT", "/api/v1/destinations/{id}"],
  postDestinationsByIdTest: ["POST", "/api/v1/destinations/{id}/test"],
  getDiagnosticsDeliveries: ["GET", "/api/v1/diagnostics/deliveries"],
  getDiagnosticsDeliveriesById: ["GET", "/api/v1/diagnostics/deliveries/{id}"],
  postDiagnosticsDeliveriesByIdReplay: ["POST", "/api/v1/diagnostics/deliveries/{id}/replay"],
  getDiagnosticsErrorTracking: ["GET", "/api/v1/diagnostics/error-tracking"],
  putDiagnosticsErrorTracking: ["PUT", "/api/v1/diagnostics/error-tracking"],
  getDiagnosticsHealth: ["GET", "/api/v1/diagnostics/health"],
  postDiagnosticsHealth: ["POST", "/api/v1/diagnostics/health"],
  getDiagnosticsMeetings: ["GET", "/api/v1/diagnostics/meetings"],
  getDiagnosticsPhoneHome: ["GET", "/api/v1/diagnostics/phone-home"],
  postDiagnosticsPhoneHome: ["POST", "/api/v1/diagnostics/phone-home"],
  putDiagnosticsPhoneHome: ["PUT", "/api/v1/diagnostics/phone-home"],
  getDiagnosticsSnapshots: ["GET", "/api/v1/diagnostics/snapshots"],
  getDiagnosticsVersions: ["GET", "/api/v1/diagnostics/versions"],
  getEnrollmentTokens: ["GET", "/api/v1/enrollment-tokens"],
  postEnrollmentTokens: ["POST", "/api/v1/enrollment-tokens"],
  deleteEnrollmentTokensById: ["DELETE", "/api/v1/enrollment-tokens/{id}"],
  postErrors: ["POST", "/api/v1/errors"],
  getInvitations: ["GET", "/api/v1/invitations"],
  postInvitations: ["POST", "/api/v1/invitations"],
  postInvitationsCsv: ["POST", "/api/v1/invitations/csv"],
  deleteInvitationsById: ["DELETE", "/api/v1/invitations/{id}"],
  postInvitationsByIdResend: ["POST", "/api/v1/invitations/{id}/resend"],
  postJoinGuest: ["POST", "/api/v1/join/guest"],
  postJoinLookup: ["POST", "/api/v1/join/lookup"],
  postJoinWaiting: ["POST", "/api/v1/join/waiting"],
  getMeetingPresets: ["GET", "/api/v1/meeting-presets"],
  getMeetings: ["GET", "/api/v1/meetings"],
  postMeetings: ["POST", "/api/v1/meetings"],
  getMeetingsById: ["GET", "/api/v1/meetings/{id}"],
  patchMeetingsById: ["PATCH", "/api/v1/meetings/{id}"],
  postMeetingsByIdCancel: ["POST", "/api/v1/meetings/{id}/cancel"],
  getMeetingsByIdChat: ["GET", "/api/v1/meetings/{id}/chat"],
  postMeetingsByIdEnd: ["POST", "/api/v1/meetings/{id}/end"],
  getMeetingsByIdEvents: ["GET", "/api/v1/meetings/{id}/events"],
  getMeetingsByIdGuestLinks: ["GET", "/api/v1/meetings/{id}/guest-links"],
  postMeetingsByIdGuestLinks: ["POST", "/api/v1/meetings/{id}/guest-links"],
  deleteMeetingsByIdGuestLinksByLink: ["DELETE", "/api/v1/meetings/{id}/guest-links/{link}"],
  postMeetingsByIdJoin: ["POST", "/api/v1/meetings/{id}/join"],
  postMeetingsByIdStart: ["POST", "/api/v1/meetings/{id}/start"],
  getMeetingsByIdWaiting: ["GET", "/api/v1/meetings/{id}/waiting"],
  postMeetingsByIdWaitingAdmit: ["POST", "/api/v1/meetings/{id}/waiting/admit"],
  deleteMeetingsByIdWaitingByGuest: ["DELETE", "/api/v1/meetings/{id}/waiting/{guest}"],
  postMeetingsByIdWaitingByGuestAdmit: ["POST", "/api/v1/meetings/{id}/waiting/{guest}/admit"],
  deleteOrganization: ["DELETE", "/api/v1/organization"],
  getOrganization: ["GET", "/api/v1/organization"],
  getOrganizationBranding: ["GET", "/api/v1/organization/branding"],
  patchOrganizationBranding: ["PATCH", "/api/v1/organization/branding"],
  postOrganizationBrandingUpload: ["POST", "/api/v1/organization/branding/upload"],
  getOrganizationMeetingSettings: ["GET", "/api/v1/organization/meeting-settings"],
  putOrganizationMeetingSettings: ["PUT", "/api/v1/organization/meeting-settings"],
  putOrganizationOwner: ["PUT", "/api/v1/organization/owner"],
  getOrganizationRecordingSettings: ["GET", "/api/v1/organization/recording-settings"],
  putOrganizationRecordingSettings: ["PUT", "/api/v1/organization/recording-settings"],
  getOrganizationSettings: ["GET", "/api/v1/organization/settings"],
  patchOrganizationSettings: ["PATCH", "/api/v1/organization/settings"],
  deleteOrganizationSlate: ["DELETE", "/api/v1/organization/slate"],
  getOrganizationSlate: ["GET", "/api/v1/organization/slate"],
  putOrganizationSlate: ["PUT", "/api/v1/organization/slate"],
  getOrganizationStorage: ["GET", "/api/v1/organization/storage"],
  getOrganizationUsage: ["GET", "/api/v1/organization/usage"],
  getOrganizationWording: ["GET", "/api/v1/organization/wording"],
  patchOrganizationWording: ["PATCH", "/api/v1/organization/wording"],
  getPool: ["GET", "/api/v1/pool"],
  patchPoolById: ["PATCH", "/api/v1/pool/{id}"],
  getPreview: ["GET", "/api/v1/preview"],
  getRecordings: ["GET", "/api/v1/recordings"],
  deleteRecordingsById: ["DELETE", "/api/v1/recordings/{id}"],
  getRecordingsById: ["GET", "/api/v1/recordings/{id}"],
  postRecordingsByIdLinks: ["POST", "/api/v1/recordings/{id}/links"],
  getRehearsals: ["GET", "/api/v1/rehearsals"],
  postRehearsals: ["POST", "/api/v1/rehearsals"],
  getRehearsalsById: ["GET", "/api/v1/rehearsals/{id}"],
  postRehearsalsByIdStop: ["POST", "/api/v1/rehearsals/{id}/stop"],
  getReleases: ["GET", "/api/v1/releases"],
  getRollouts: ["GET", "/api/v1/rollouts"],
  postRollouts: ["POST", "/api/v1/rollouts"],
  getRolloutsById: ["GET", "/api/v1/rollouts/{id}"],
  patchRolloutsById: ["PATCH", "/api/v1/rollouts/{id}"],
  getRooms: ["GET", "/api/v1/rooms"],
  postRooms: ["POST", "/api/v1/rooms"],
  deleteRoomsById: ["DELETE", "/api/v1/rooms/{id}"],
  postRoomsByIdPasses: ["POST", "/api/v1/rooms/{id}/passes"],
  postRoomsByIdTickets: ["POST", "/api/v1/rooms/{id}/tickets"],
  getSenders: ["GET", "/api/v1/senders"],
  deleteSendersById: ["DELETE", "/api/v1/senders/{id}"],
  getSendersById: ["GET", "/api/v1/senders/{id}"],
  patchSendersById: ["PATCH", "/api/v1/senders/{id}"],
  putSendersByIdConfiguration: ["PUT", "/api/v1/senders/{id}/configuration"],
  getSendersByIdConfigurations: ["GET", "/api/v1/senders/{id}/configurations"],
  postSendersByIdModemReset: ["POST", "/api/v1/senders/{id}/modem-reset"],
  getSendersByIdPicture: ["GET", "/api/v1/senders/{id}/picture"],
  postSendersByIdSpeedTest: ["POST", "/api/v1/senders/{id}/speed-test"],
  getSendersByIdUpdates: ["GET", "/api/v1/senders/{id}/updates"],
  putSendersByIdUpdates: ["PUT", "/api/v1/senders/{id}/updates"],
  getServerUpdates: ["GET", "/api/v1/server/updates"],
  postServerUpdates: ["POST", "/api/v1/server/updates"],
  getSetup: ["GET", "/api/v1/setup"],
  getUsers: ["GET", "/api/v1/users"],
  postUsers: ["POST", "/api/v1/users"],
  deleteUsersById: ["DELETE", "/api/v1/users/{id}"],
  patchUsersById: ["PATCH", "/api/v1/users/{id}"],
  postUsersByIdPasswordReset: ["POST", "/api/v1/users/{id}/password-reset"],
  getWebhooks: ["GET", "/api/v1/webhooks"],
  postWebhooks: ["POST", "/api/v1/webhooks"],
  getWebhooksEvents: ["GET", "/api/v1/webhooks/events"],
  deleteWebhooksById: ["DELETE", "/api/v1/webhooks/{id}"],
  getWebhooksById: ["GET", "/api/v1/webhooks/{id}"],
  putWebhooksById: ["PUT", "/api/v1/webhooks/{id}"],
  getWebhooksByIdDeliveries: ["GET", "/api/v1/webhooks/{id}/deliveries"],
  postWebhooksByIdSecret: ["POST", "/api/v1/webhooks/{id}/secret"],
  postWebhooksByIdTest: ["POST", "/api/v1/webhooks/{id}/test"],
};
