import Meetings
package import Units
package import Wire

/// What a room is of, and what holds in it: decided outside of it.
package struct RoomCharter: Sendable, Hashable {
    package let organization: OrganizationID
    /// nil for a room of no meeting: nothing of what is done in it is kept.
    package let meeting: MeetingID?
    package let type: MeetingType
    package let options: MeetingOptions
    /// What the organisation has decided for all meetings: nobody in the room decides it otherwise.
    package let locked: Set<MeetingSetting>
    /// Milliseconds since 1970: nil for a room of no meeting.
    package let endsAtMs: Int64?

    package init(
        organization: OrganizationID, meeting: MeetingID?, type: MeetingType, options: MeetingOptions, locked: Set<MeetingSetting> = [],
        endsAtMs: Int64? = nil
    ) {
        self.organization = organization
        self.meeting = meeting
        self.type = type
        self.options = options
        self.locked = locked
        self.endsAtMs = endsAtMs
    }

    /// Whether what is written in it outlasts it.
    package var keepsChat: Bool { meeting != nil && options.persistChat }

    /// Of a room of no meeting: a place for video as meetings have it, in which guests share their screens too.
    package static func plain(of organization: OrganizationID, participants: Int) -> RoomCharter {
        let options = SettingLevels(organization: MeetingSettings(), mostParticipants: participants).effective
        return RoomCharter(organization: organization, meeting: nil, type: .video, options: options)
    }

    /// What somebody of this role may do in it.
    ///
    /// - Returns: nil where its type has no such role.
    func preset(of role: MeetingRole) -> PresetName? { PresetName(of: type, for: role) }

    func permissions(of preset: PresetName) -> MeetingPermissions {
        var permissions = Preset(preset).permissions
        if meeting == nil, permissions.mayPublish { permissions.screenShare = .allowed }
        return permissions
    }
}

/// What is kept of what is done in the room of a meeting.
package enum RoomRecord: Sendable, Hashable {
    /// With whose it is, and for whom: as they are known beyond their seats.
    case said(RoomChatMessage, by: String, to: String?)
    case pinned(ChatMessageID, Bool)
    case unsaid(ChatMessageID)
    case event(RoomEvent)
}

/// Who did what to whom (MTG-35).
package struct RoomEvent: Sendable, Hashable {
    package struct Person: Sendable, Hashable {
        package let participant: ParticipantID
        /// As `RoomState.identity(of:)`.
        package let identity: String
        package let name: String
    }

    package let kind: MeetingEventKind
    package let person: Person
    package let from: PresetName?
    package let to: PresetName?
    /// nil for whoever did it themselves.
    package let actor: Person?
}

/// What a room asks of those outside of it.
package struct RoomOffice: Sendable {
    /// What holds in a room; nil where there is none.
    let charter: @Sendable (RoomID, OrganizationID) async -> RoomCharter?
    /// Keeps something of a meeting's room; one after the other.
    let keep: @Sendable (RoomRecord, MeetingID, OrganizationID) async -> Void
    /// What was written in a meeting, for somebody.
    let read: @Sendable (ChatQuery, MeetingID, OrganizationID) async throws -> [RoomChatMessage]
    /// The newest of it, so many at most, for a room that is made anew.
    let recall: @Sendable (MeetingID, OrganizationID, Int) async -> [RoomState.Saying]
    /// Ends a meeting, for somebody of an account or for nobody at all: nobody is left in it.
    let end: @Sendable (MeetingID, OrganizationID) async -> Void
    /// Whether somebody may be called so.
    let isName: @Sendable (String) -> Bool
    /// A live broadcast is in the room no more though it did not ask for that: for good, where a host has sent it away or the room is no more.
    let fieldLeft: @Sendable (RoomPass.Field, Bool) async -> Void
    /// The rooms of meetings in which somebody was in an earlier life of this server, and that nobody has ended since.
    /// Asked once, before anybody comes: whoever was in them then is kept as gone.
    let abandoned: @Sendable () async -> [(room: RoomID, organization: OrganizationID)]

    package init(
        charter: @escaping @Sendable (RoomID, OrganizationID) async -> RoomCharter?,
        keep: @escaping @Sendable (RoomRecord, MeetingID, OrganizationID) async -> Void,
        read: @escaping @Sendable (ChatQuery, MeetingID, OrganizationID) async throws -> [RoomChatMessage],
        recall: @escaping @Sendable (MeetingID, OrganizationID, Int) async -> [RoomState.Saying],
        end: @escaping @Sendable (MeetingID, OrganizationID) async -> Void, isName: @escaping @Sendable (String) -> Bool,
        fieldLeft: @escaping @Sendable (RoomPass.Field, Bool) async -> Void = { _, _ in },
        abandoned: @escaping @Sendable () async -> [(room: RoomID, organization: OrganizationID)] = { [] }
    ) {
        self.charter = charter
        self.keep = keep
        self.read = read
        self.recall = recall
        self.end = end
        self.isName = isName
        self.fieldLeft = fieldLeft
        self.abandoned = abandoned
    }
}

/// A part of what was written, as somebody may read it.
package struct ChatQuery: Sendable, Hashable {
    /// Whoever asks: messages between two others are not theirs.
    package let reader: String
    /// Whether they read what all do, and what is for them alone.
    package let readsPublic: Bool
    package let readsPrivate: Bool
    /// nil: from the newest on.
    package var before: ChatMessageID?
    /// nil: whatever they say.
    package var text: String?
    package let limit: Int

    package init(
        reader: String, readsPublic: Bool, readsPrivate: Bool, before: ChatMessageID? = nil, text: String? = nil, limit: Int
    ) {
        self.reader = reader
        self.readsPublic = readsPublic
        self.readsPrivate = readsPrivate
        self.before = before
        self.text = text
        self.limit = limit
    }
}
