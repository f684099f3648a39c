package import Wire

/// What somebody may do in a meeting, by its type and their role (MTG-25).
package struct Preset: Codable, Sendable, Hashable {
    package let name: PresetName
    package let type: MeetingType
    package let role: MeetingRole
    package let permissions: MeetingPermissions

    package init(_ name: PresetName) {
        self.name = name
        type = name.type
        role = name.role
        permissions = Self.permissions(of: name)
    }

    package static let all = PresetName.allCases.map { Preset($0) }

    /// Everything but what no person has, and what only livestreams have (MTG-28).
    private static let ofHosts = Set(MeetingPermission.allCases).subtracting([.hidden, .livestream])
    private static let chat: Set<MeetingPermission> = [
        .receivePublic, .sendPublicText, .sendPublicFiles, .receivePrivate, .sendPrivateText, .sendPrivateFiles,
    ]
    /// MTG-29.
    private static let ofParticipants = chat.union([.pin, .seeParticipants, .vote, .viewPolls])
    /// MTG-30: public text without files, of private messages those that come.
    private static let ofGuests: Set<MeetingPermission> = [
        .receivePublic, .sendPublicText, .receivePrivate, .seeParticipants, .vote, .viewPolls,
    ]
    /// Decisions 30.
    private static let ofViewers: Set<MeetingPermission> = [.receivePublic, .vote, .viewPolls]

    private static func permissions(of name: PresetName) -> MeetingPermissions {
        switch name {
        case .videoHost: host(video: .allowed, ofHosts)
        // MTG-31: nobody has a camera.
        case .audioHost: host(video: .denied, ofHosts)
        case .webinarHost, .livestreamHost: host(video: .allowed, ofHosts.union([.livestream]))
        case .videoParticipant: participant(video: .allowed, screenShare: .allowed)
        case .audioParticipant: participant(video: .denied, screenShare: .denied)
        case .videoGuest: guest(video: .allowed)
        case .audioGuest: guest(video: .denied)
        // MTG-32, MTG-33: on the stage once somebody agrees.
        case .webinarParticipant, .livestreamParticipant: stage(.untilHost, ofGuests.union([.pin]))
        // Somebody from outside who presents (decisions 35).
        case .webinarGuest: stage(.untilAdmitted, ofGuests)
        // Decisions 31: whoever only watches never waits.
        case .webinarViewer, .livestreamViewer:
            MeetingPermissions(audio: .denied, video: .denied, screenShare: .denied, waiting: .skip, allowed: ofViewers)
        }
    }

    private static func host(video: MediaPermission, _ allowed: Set<MeetingPermission>) -> MeetingPermissions {
        MeetingPermissions(
            audio: .allowed, video: video, screenShare: .allowed, waiting: .skip, plugins: .full, breakout: .full, allowed: allowed)
    }

    private static func participant(video: MediaPermission, screenShare: MediaPermission) -> MeetingPermissions {
        MeetingPermissions(
            audio: .allowed, video: video, screenShare: screenShare, waiting: .untilHost, plugins: .view, breakout: .move,
            allowed: ofParticipants)
    }

    private static func guest(video: MediaPermission) -> MeetingPermissions {
        MeetingPermissions(audio: .allowed, video: video, screenShare: .denied, waiting: .untilAdmitted, allowed: ofGuests)
    }

    private static func stage(_ waiting: WaitingRule, _ allowed: Set<MeetingPermission>) -> MeetingPermissions {
        MeetingPermissions(audio: .onRequest, video: .onRequest, screenShare: .denied, waiting: waiting, allowed: allowed)
    }
}

extension PresetName {
    /// - Returns: nil where the type has none for that role: a meeting of video has no viewers, and a livestream's guests are viewers.
    package init?(of type: MeetingType, for role: MeetingRole) {
        let role = role == .coHost ? .host : role
        guard let found = Self.allCases.first(where: { $0.type == type && $0.role == role }) else { return nil }
        self = found
    }
}
