import Meetings
import Wire

/// The shapes of meetings.
extension Schemas {
    /// As somebody read or typed it: what is none is nobody's.
    static let typedSlug = Schema.text(
        .init(length: 1...MeetingSlug.typedLength, expectation: "the ten letters and digits of a meeting's address"))
    private static let meetingSlug = Schema.text(
        .init(length: 10...10, pattern: "^[0-9a-hjkmnp-tv-z]{10}$", expectation: "ten letters and digits"))
    private static let meetingDescription = Schema.text(
        .init(length: 0...500, expectation: "at most 500 characters on one line", accepts: \.isPlain))
    private static let meetingURL = Schema.text(.init(length: 1...400, expectation: "an address below the server's origin"))
    private static let locks = Schema.list(choice(MeetingSetting.self), upTo: MeetingSetting.allCases.count)

    static let meetings: [String: Schema] = [
        "CreateMeetingRequest": .object([
            .required("title", name), .optional("description", meetingDescription), .optional("type", choice(MeetingType.self)),
            .optional("draft", .flag), .optional("scheduledStart", time), .optional("scheduledEnd", time),
            .optional("settings", .reference("MeetingSettings")),
        ]),
        "ChangeMeetingRequest": .object([
            .optional("title", name), .optional("description", meetingDescription), .optional("type", choice(MeetingType.self)),
            .optional("scheduledStart", time),
            .optional("scheduledEnd", .text(.init(length: 0...30, expectation: "a time in ISO 8601, or nothing"))),
            .optional("settings", .reference("MeetingSettings")),
        ]),
        "Meeting": .object([
            .required("id", id), .required("title", name), .optional("description", line), .required("type", choice(MeetingType.self)),
            .required("state", choice(MeetingState.self)), .required("slug", meetingSlug), .required("joinURL", meetingURL),
            .required("createdBy", id), .required("createdAt", time), .optional("scheduledStart", time), .optional("scheduledEnd", time),
            .optional("startedAt", time), .optional("endedAt", time), .optional("room", id),
            .required("settings", .reference("MeetingSettings")), .required("effective", .reference("MeetingOptions")),
            .required("locked", locks), .required("role", choice(MeetingRole.self)), .required("preset", choice(PresetName.self)),
            .required("mayRun", .flag),
        ]),
        "Meetings": .object([
            .required("items", .list(.reference("Meeting"), upTo: MeetingRoutes.pageLimit)), .optional("next", id),
        ]),
        "MeetingSettings": .object([
            .optional("guestsAllowed", .flag), .optional("guestAccess", choice(GuestAccess.self)), .optional("waitingRoom", .flag),
            .optional("chat", .flag), .optional("persistChat", .flag),
            .optional("maxParticipants", .integer(MeetingSettings.participantBounds)),
            .optional("keepAliveSeconds", .integer(MeetingSettings.keepAliveBounds)),
            .optional("maxDurationMinutes", .integer(MeetingSettings.durationBounds)), .optional("hostsRunAll", .flag),
            .optional("chatDays", .integer(MeetingSettings.chatDayBounds)),
        ]),
        "MeetingOptions": .object([
            .required("guestAccess", choice(GuestAccess.self)), .required("waitingRoom", .flag), .required("chat", .flag),
            .required("persistChat", .flag), .required("maxParticipants", count),
            .required("keepAliveSeconds", .integer(MeetingSettings.keepAliveBounds)),
            .required("maxDurationMinutes", .integer(MeetingSettings.durationBounds)), .required("hostsRunAll", .flag),
            .required("chatDays", .integer(MeetingSettings.chatDayBounds)),
        ]),
        "MeetingDefaults": .object([
            .required("settings", .reference("MeetingSettings")), .required("locked", locks),
            .required("effective", .reference("MeetingOptions")),
        ]),
        "ChangeMeetingSettingsRequest": .object([.required("settings", .reference("MeetingSettings")), .required("locked", locks)]),
        "MeetingPreset": .object([
            .required("name", choice(PresetName.self)), .required("type", choice(MeetingType.self)),
            .required("role", choice(MeetingRole.self)), .required("permissions", .reference("MeetingPermissions")),
        ]),
        "MeetingPermissions": .object([
            .required("audio", choice(MediaPermission.self)), .required("video", choice(MediaPermission.self)),
            .required("screenShare", choice(MediaPermission.self)), .required("waiting", choice(WaitingRule.self)),
            .required("plugins", choice(PluginAccess.self)), .required("breakout", choice(BreakoutAccess.self)),
            .required("recorder", choice(RecorderKind.self)),
            .required("allowed", .list(choice(MeetingPermission.self), upTo: MeetingPermission.allCases.count)),
        ]),
        "GuestLinkRequest": .object([
            .required("label", name), .optional("expiresInSeconds", .integer(GuestLinkRequest.lifetimeBounds)),
            .optional("uses", .integer(GuestLinkRequest.useBounds)), .optional("preset", choice(PresetName.self)),
        ]),
        "GuestLink": .object([
            .required("id", id), .required("label", name), .required("createdBy", id), .required("createdAt", time),
            .required("expiresAt", time), .required("uses", count), .required("mostUses", count), .optional("lastUsedAt", time),
            .optional("preset", choice(PresetName.self)), .optional("url", meetingURL),
        ]),
        "MeetingLookupRequest": .object([
            .required("slug", typedSlug), .optional("organization", slug), .optional("token", secret),
        ]),
        "GuestJoinRequest": .object([
            .required("slug", typedSlug), .optional("organization", slug), .optional("token", secret), .required("name", displayName),
        ]),
        "WaitingRequest": .object([.required("token", secret)]),
        "MeetingEntry": .object([
            .required("state", choice(MeetingEntryView.State.self)), .required("preset", choice(PresetName.self)),
            .optional("waiting", secret), .optional("pass", .reference("RoomPass")),
        ]),
        "MeetingEvents": .object([
            .required("items", .list(.reference("MeetingEvent"), upTo: MeetingRoutes.pageLimit)), .optional("next", id),
        ]),
        "MeetingEvent": .object([
            .required("id", id), .required("at", time), .required("kind", choice(MeetingEventKind.self)), .required("participant", id),
            .required("person", line), .required("name", line), .optional("fromPreset", choice(PresetName.self)),
            .optional("toPreset", choice(PresetName.self)), .optional("actor", line),
        ]),
        "MeetingChat": .object([
            .required("items", .list(.reference("ChatMessage"), upTo: MeetingRoutes.pageLimit)), .optional("next", id),
        ]),
        "ChatMessage": .object([
            .required("id", id), .required("at", time), .required("participant", id), .required("name", line),
            .required("text", .text(.init(length: RoomChatMessage.length, expectation: "a text of at most 2000 characters"))),
            .required("isPinned", .flag),
        ]),
        "WaitingGuest": .object([
            .required("id", id), .required("name", displayName), .required("preset", choice(PresetName.self)), .required("since", time),
        ]),
        "MeetingDoor": .object([
            .required("title", name), .required("type", choice(MeetingType.self)), .required("state", choice(MeetingState.self)),
            .required("organization", name), .required("slug", meetingSlug), .optional("scheduledStart", time), .required("waits", .flag),
            .required("preset", choice(PresetName.self)),
        ]),
    ]
}
