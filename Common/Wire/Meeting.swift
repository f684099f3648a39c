package import Units

// What a meeting is, for every program and page that speaks of one. Once shipped no name is changed.

extension Kind {
    package enum Meeting {}
    package enum GuestLink {}
    package enum WaitingGuest {}
    package enum MeetingEvent {}
}

package typealias MeetingID = ID<Kind.Meeting>
package typealias GuestLinkID = ID<Kind.GuestLink>
/// Somebody who waits to be let into a meeting.
package typealias WaitingGuestID = ID<Kind.WaitingGuest>
package typealias MeetingEventID = ID<Kind.MeetingEvent>

/// What happens to people in a meeting.
package enum MeetingEventKind: String, Codable, Sendable, CaseIterable {
    case joined, left, promoted, demoted, kicked, renamed
    /// Somebody who has waited was let in; they join by themselves.
    case admitted
    /// A host has let them speak or be seen, or does so no more.
    case allowed
}

/// What is done in it, and with it which presets there are.
package enum MeetingType: String, Codable, Sendable, CaseIterable {
    /// All are equal, with cameras.
    case video
    case audio
    /// Hosts present, the audience watches.
    case webinar
    /// A webinar that also leaves the server.
    case livestream
}

package enum MeetingState: String, Codable, Sendable, CaseIterable { case draft, scheduled, active, ended, cancelled }

/// Whether people without an account come in.
package enum GuestAccess: String, Codable, Sendable, CaseIterable {
    case disabled
    /// Whoever has the meeting's address may knock, and waits for a host in any case.
    case linkOnly = "link_only"
    /// Whoever has the address waits only where the meeting has a waiting room.
    case open
}

/// What somebody is in a meeting.
package enum MeetingRole: String, Codable, Sendable, CaseIterable, Comparable {
    case viewer, guest, participant
    /// Made one during the meeting, or by the organisation's rule for hosts.
    case coHost = "co_host"
    /// By right: whoever made the meeting, and the organisation's admins.
    case host

    package var rank: Int {
        switch self {
        case .viewer: 1
        case .guest: 2
        case .participant: 3
        case .coHost: 4
        case .host: 5
        }
    }

    package static func < (left: MeetingRole, right: MeetingRole) -> Bool { left.rank < right.rank }
}

/// The presets that there are: what somebody may do in a meeting, by its type and their role.
package enum PresetName: String, Codable, Sendable, CaseIterable {
    case videoHost = "video_host"
    case videoParticipant = "video_participant"
    case videoGuest = "video_guest"
    case audioHost = "audio_host"
    case audioParticipant = "audio_participant"
    case audioGuest = "audio_guest"
    case webinarHost = "webinar_host"
    case webinarParticipant = "webinar_participant"
    case webinarGuest = "webinar_guest"
    case webinarViewer = "webinar_viewer"
    case livestreamHost = "livestream_host"
    case livestreamParticipant = "livestream_participant"
    case livestreamViewer = "livestream_viewer"

    package var type: MeetingType {
        switch self {
        case .videoHost, .videoParticipant, .videoGuest: .video
        case .audioHost, .audioParticipant, .audioGuest: .audio
        case .webinarHost, .webinarParticipant, .webinarGuest, .webinarViewer: .webinar
        case .livestreamHost, .livestreamParticipant, .livestreamViewer: .livestream
        }
    }

    /// Never `coHost`, who has the host's.
    package var role: MeetingRole {
        switch self {
        case .videoHost, .audioHost, .webinarHost, .livestreamHost: .host
        case .videoParticipant, .audioParticipant, .webinarParticipant, .livestreamParticipant: .participant
        case .videoGuest, .audioGuest, .webinarGuest: .guest
        case .webinarViewer, .livestreamViewer: .viewer
        }
    }
}

/// Whether somebody sends sound or pictures of their own.
package enum MediaPermission: String, Codable, Sendable, CaseIterable {
    case allowed
    /// Once a host has agreed.
    case onRequest = "on_request"
    case denied
}

/// What is allowed or not. Once shipped a name is never changed.
package enum MeetingPermission: String, Codable, Sendable, CaseIterable, Comparable {
    case kick
    /// Somebody large in one's own picture.
    case pin
    /// Somebody large for all.
    case spotlight
    case disableAudio = "disable_audio"
    case disableVideo = "disable_video"
    case disableScreenShare = "disable_screen_share"
    /// Let those in who wait, or send them away.
    case admit
    /// Let those speak and be seen who ask for it.
    case acceptProduction = "accept_production"
    /// Give others another role.
    case changePermissions = "change_permissions"
    case record
    case livestream
    /// Change the name that others see.
    case rename
    case seeParticipants = "see_participants"
    /// Is not in the list of participants.
    case hidden
    case receivePublic = "chat_public_receive"
    case sendPublicText = "chat_public_text"
    case sendPublicFiles = "chat_public_files"
    case receivePrivate = "chat_private_receive"
    case sendPrivateText = "chat_private_text"
    case sendPrivateFiles = "chat_private_files"
    case createPolls = "poll_create"
    case vote = "poll_vote"
    case viewPolls = "poll_view"

    package static func < (left: MeetingPermission, right: MeetingPermission) -> Bool { left.rawValue < right.rawValue }
}

/// What is decided at one level, of the organisation, of one meeting or while it runs; nil: not there.
package struct MeetingSettings: Codable, Sendable, Hashable {
    /// Whether there are guests at all, whatever a meeting says.
    package var guestsAllowed: Bool?
    package var guestAccess: GuestAccess?
    /// Whether members wait until a host is there, and guests of an open meeting until a host admits them.
    package var waitingRoom: Bool?
    package var chat: Bool?
    package var persistChat: Bool?
    package var maxParticipants: Int?
    /// How long a meeting goes on after the last one has left.
    package var keepAliveSeconds: Int?
    package var maxDurationMinutes: Int?
    /// Whether users of the role host are hosts in the meetings of others too.
    package var hostsRunAll: Bool?
    /// How long chats are kept; 0: until somebody deletes them.
    package var chatDays: Int?

    package static let participantBounds = 2...1000
    package static let keepAliveBounds = 60...600
    package static let durationBounds = 15...1440
    package static let chatDayBounds = 0...3650

    package init(
        guestsAllowed: Bool? = nil, guestAccess: GuestAccess? = nil, waitingRoom: Bool? = nil, chat: Bool? = nil, persistChat: Bool? = nil,
        maxParticipants: Int? = nil, keepAliveSeconds: Int? = nil, maxDurationMinutes: Int? = nil, hostsRunAll: Bool? = nil,
        chatDays: Int? = nil
    ) {
        self.guestsAllowed = guestsAllowed
        self.guestAccess = guestAccess
        self.waitingRoom = waitingRoom
        self.chat = chat
        self.persistChat = persistChat
        self.maxParticipants = maxParticipants
        self.keepAliveSeconds = keepAliveSeconds
        self.maxDurationMinutes = maxDurationMinutes
        self.hostsRunAll = hostsRunAll
        self.chatDays = chatDays
    }
}

/// The name of one of them, as its field has it.
package enum MeetingSetting: String, Codable, Sendable, CaseIterable {
    case guestsAllowed, guestAccess, waitingRoom, chat, persistChat, maxParticipants, keepAliveSeconds, maxDurationMinutes, hostsRunAll
    case chatDays
}

/// What holds in a meeting.
package struct MeetingOptions: Codable, Sendable, Hashable {
    package var guestAccess: GuestAccess
    package var waitingRoom: Bool
    package var chat: Bool
    package var persistChat: Bool
    package var maxParticipants: Int
    package var keepAliveSeconds: Int
    package var maxDurationMinutes: Int
    package var hostsRunAll: Bool
    package var chatDays: Int

    package init(
        guestAccess: GuestAccess, waitingRoom: Bool, chat: Bool, persistChat: Bool, maxParticipants: Int, keepAliveSeconds: Int,
        maxDurationMinutes: Int, hostsRunAll: Bool, chatDays: Int
    ) {
        self.guestAccess = guestAccess
        self.waitingRoom = waitingRoom
        self.chat = chat
        self.persistChat = persistChat
        self.maxParticipants = maxParticipants
        self.keepAliveSeconds = keepAliveSeconds
        self.maxDurationMinutes = maxDurationMinutes
        self.hostsRunAll = hostsRunAll
        self.chatDays = chatDays
    }
}
