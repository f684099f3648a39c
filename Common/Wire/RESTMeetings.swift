package import Units

// Bodies of the REST API: meetings. Shapes and limits: the OpenAPI document.

/// `POST /meetings`.
package struct CreateMeetingRequest: Codable, Sendable {
    package var title: String
    package var description: String?
    /// Video where nil.
    package var type: MeetingType?
    /// Kept to be finished later.
    package var draft: Bool?
    /// Where nil, and it is no draft: now.
    package var scheduledStart: String?
    package var scheduledEnd: String?
    package var settings: MeetingSettings?

    package init(
        title: String, description: String? = nil, type: MeetingType? = nil, draft: Bool? = nil, scheduledStart: String? = nil,
        scheduledEnd: String? = nil, settings: MeetingSettings? = nil
    ) {
        self.title = title
        self.description = description
        self.type = type
        self.draft = draft
        self.scheduledStart = scheduledStart
        self.scheduledEnd = scheduledEnd
        self.settings = settings
    }
}

/// `PATCH /meetings/{id}`: what is nil stays.
package struct ChangeMeetingRequest: Codable, Sendable {
    package var title: String?
    /// Empty: none.
    package var description: String?
    /// Before it begins.
    package var type: MeetingType?
    /// Before it begins; a draft is scheduled by it.
    package var scheduledStart: String?
    /// Empty: none.
    package var scheduledEnd: String?
    /// All of the meeting's own: what is nil in it is the organisation's again.
    package var settings: MeetingSettings?

    package init(
        title: String? = nil, description: String? = nil, type: MeetingType? = nil, scheduledStart: String? = nil,
        scheduledEnd: String? = nil, settings: MeetingSettings? = nil
    ) {
        self.title = title
        self.description = description
        self.type = type
        self.scheduledStart = scheduledStart
        self.scheduledEnd = scheduledEnd
        self.settings = settings
    }
}

package struct MeetingView: Codable, Sendable, Hashable {
    package var id: MeetingID
    package var title: String
    package var description: String?
    package var type: MeetingType
    package var state: MeetingState
    /// Ten letters and digits that nobody guesses.
    package var slug: String
    /// What is given to whoever is to come.
    package var joinURL: String
    package var createdBy: UserID
    package var createdAt: String
    package var scheduledStart: String?
    package var scheduledEnd: String?
    package var startedAt: String?
    package var endedAt: String?
    /// While it is active: where its media go.
    package var room: RoomID?
    /// The meeting's own.
    package var settings: MeetingSettings
    /// What holds, with the organisation's.
    package var effective: MeetingOptions
    /// What the organisation has decided for all meetings.
    package var locked: [MeetingSetting]
    /// What whoever asks is in it.
    package var role: MeetingRole
    package var preset: PresetName
    /// Whether whoever asks may change, start and end it.
    package var mayRun: Bool

    package init(
        id: MeetingID, title: String, description: String?, type: MeetingType, state: MeetingState, slug: String, joinURL: String,
        createdBy: UserID, createdAt: String, scheduledStart: String?, scheduledEnd: String?, startedAt: String?, endedAt: String?,
        room: RoomID?, settings: MeetingSettings, effective: MeetingOptions, locked: [MeetingSetting], role: MeetingRole,
        preset: PresetName, mayRun: Bool
    ) {
        self.id = id
        self.title = title
        self.description = description
        self.type = type
        self.state = state
        self.slug = slug
        self.joinURL = joinURL
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.scheduledStart = scheduledStart
        self.scheduledEnd = scheduledEnd
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.room = room
        self.settings = settings
        self.effective = effective
        self.locked = locked
        self.role = role
        self.preset = preset
        self.mayRun = mayRun
    }
}

/// `GET /meetings`: a part of them.
package struct MeetingsView: Codable, Sendable {
    package var items: [MeetingView]
    /// Where the next part begins, if there is one.
    package var next: MeetingID?

    package init(items: [MeetingView], next: MeetingID?) {
        self.items = items
        self.next = next
    }
}

/// `POST /meetings/{id}/guest-links`.
package struct GuestLinkRequest: Codable, Sendable {
    /// Whom it is for, in the words of whoever makes it.
    package var label: String
    /// Four hours where nil.
    package var expiresInSeconds: Int?
    /// How many guests come by it; one where nil.
    package var uses: Int?
    /// What they are, where that is not what guests of the meeting are; never a host.
    package var preset: PresetName?

    package static let lifetimeBounds = 60...2_592_000
    package static let useBounds = 1...1000

    package init(label: String, expiresInSeconds: Int? = nil, uses: Int? = nil, preset: PresetName? = nil) {
        self.label = label
        self.expiresInSeconds = expiresInSeconds
        self.uses = uses
        self.preset = preset
    }
}

package struct GuestLinkView: Codable, Sendable, Hashable {
    package var id: GuestLinkID
    package var label: String
    package var createdBy: UserID
    package var createdAt: String
    package var expiresAt: String
    package var uses: Int
    package var mostUses: Int
    package var lastUsedAt: String?
    package var preset: PresetName?
    /// The link itself: in the answer to whoever made it, and nowhere else.
    package var url: SecretOnWire?

    package init(
        id: GuestLinkID, label: String, createdBy: UserID, createdAt: String, expiresAt: String, uses: Int, mostUses: Int,
        lastUsedAt: String?, preset: PresetName?, url: SecretOnWire? = nil
    ) {
        self.id = id
        self.label = label
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.uses = uses
        self.mostUses = mostUses
        self.lastUsedAt = lastUsedAt
        self.preset = preset
        self.url = url
    }
}

/// `POST /join/lookup`: what stands behind an address, for somebody who has not signed in. In a body, since addresses are logged by others.
package struct MeetingLookupRequest: Codable, Sendable {
    /// As it was read or typed.
    package var slug: String
    /// The short name that stands before it in the address.
    package var organization: String?
    /// Of a guest link.
    package var token: SecretOnWire?

    package init(slug: String, organization: String? = nil, token: SecretOnWire? = nil) {
        self.slug = slug
        self.organization = organization
        self.token = token
    }
}

/// A meeting that guests may come to, as much of it as they need to know before.
package struct MeetingDoorView: Codable, Sendable, Hashable {
    package var title: String
    package var type: MeetingType
    package var state: MeetingState
    /// What its organisation is called.
    package var organization: String
    package var slug: String
    package var scheduledStart: String?
    /// Whether a guest waits until somebody lets them in.
    package var waits: Bool
    package var preset: PresetName

    package init(
        title: String, type: MeetingType, state: MeetingState, organization: String, slug: String, scheduledStart: String?, waits: Bool,
        preset: PresetName
    ) {
        self.title = title
        self.type = type
        self.state = state
        self.organization = organization
        self.slug = slug
        self.scheduledStart = scheduledStart
        self.waits = waits
        self.preset = preset
    }
}

/// `POST /join/guest`: somebody without an account wants to come in.
package struct GuestJoinRequest: Codable, Sendable {
    /// As of `MeetingLookupRequest`.
    package var slug: String
    package var organization: String?
    package var token: SecretOnWire?
    /// As everybody there is shown it.
    package var name: String

    package init(slug: String, organization: String? = nil, token: SecretOnWire? = nil, name: String) {
        self.slug = slug
        self.organization = organization
        self.token = token
        self.name = name
    }
}

/// `POST /join/waiting`: somebody who waits asks again.
package struct WaitingRequest: Codable, Sendable {
    /// The `waiting` of the answer to their knock.
    package var token: SecretOnWire
    package init(token: SecretOnWire) { self.token = token }
}

/// What becomes of somebody who wants to come into a meeting.
package struct MeetingEntryView: Codable, Sendable, Hashable {
    package enum State: String, Codable, Sendable, CaseIterable {
        /// By the pass.
        case enters
        /// Until a host is there, or lets them in: they ask again each 5 s.
        case waits
        /// A host does not let them in.
        case refused
    }

    package var state: State
    /// What they are in it.
    package var preset: PresetName
    /// To ask again by: a guest's, in the answer to their knock alone.
    package var waiting: SecretOnWire?
    package var pass: RoomPassView?

    package init(state: State, preset: PresetName, waiting: SecretOnWire? = nil, pass: RoomPassView? = nil) {
        self.state = state
        self.preset = preset
        self.waiting = waiting
        self.pass = pass
    }
}

/// Somebody who waits, for whoever may let them in.
package struct WaitingGuestView: Codable, Sendable, Hashable {
    package var id: WaitingGuestID
    package var name: String
    package var preset: PresetName
    package var since: String

    package init(id: WaitingGuestID, name: String, preset: PresetName, since: String) {
        self.id = id
        self.name = name
        self.preset = preset
        self.since = since
    }
}

/// `PUT /organization/meeting-settings`: all of them.
package struct ChangeMeetingSettingsRequest: Codable, Sendable {
    package var settings: MeetingSettings
    /// What no meeting decides for itself.
    package var locked: [MeetingSetting]

    package init(settings: MeetingSettings, locked: [MeetingSetting]) {
        self.settings = settings
        self.locked = locked
    }
}

package struct MeetingDefaultsView: Codable, Sendable, Hashable {
    package var settings: MeetingSettings
    package var locked: [MeetingSetting]
    /// What a meeting has that decides nothing for itself.
    package var effective: MeetingOptions

    package init(settings: MeetingSettings, locked: [MeetingSetting], effective: MeetingOptions) {
        self.settings = settings
        self.locked = locked
        self.effective = effective
    }
}

/// `GET /meetings/{id}/events`: a part of them, in their order.
package struct MeetingEventsView: Codable, Sendable {
    package var items: [MeetingEventView]
    /// Where the next part begins, if there is one.
    package var next: MeetingEventID?

    package init(items: [MeetingEventView], next: MeetingEventID?) {
        self.items = items
        self.next = next
    }
}

package struct MeetingEventView: Codable, Sendable, Hashable {
    package var id: MeetingEventID
    package var at: String
    package var kind: MeetingEventKind
    /// Their seat: another one each time they come.
    package var participant: ParticipantID
    /// The same one each time they come: of an account its user, of a guest what they have come by.
    package var person: String
    package var name: String
    package var fromPreset: PresetName?
    package var toPreset: PresetName?
    /// Whoever did it to them, by name.
    package var actor: String?

    package init(
        id: MeetingEventID, at: String, kind: MeetingEventKind, participant: ParticipantID, person: String, name: String,
        fromPreset: PresetName?, toPreset: PresetName?, actor: String?
    ) {
        self.id = id
        self.at = at
        self.kind = kind
        self.participant = participant
        self.person = person
        self.name = name
        self.fromPreset = fromPreset
        self.toPreset = toPreset
        self.actor = actor
    }
}

/// `GET /meetings/{id}/chat`: a part of what all could read, in its order.
package struct MeetingChatView: Codable, Sendable {
    package var items: [ChatMessageView]
    /// Where the next part begins, if there is one.
    package var next: ChatMessageID?

    package init(items: [ChatMessageView], next: ChatMessageID?) {
        self.items = items
        self.next = next
    }
}

package struct ChatMessageView: Codable, Sendable, Hashable {
    package var id: ChatMessageID
    package var at: String
    package var participant: ParticipantID
    package var name: String
    package var text: String
    package var isPinned: Bool

    package init(id: ChatMessageID, at: String, participant: ParticipantID, name: String, text: String, isPinned: Bool) {
        self.id = id
        self.at = at
        self.participant = participant
        self.name = name
        self.text = text
        self.isPinned = isPinned
    }
}
