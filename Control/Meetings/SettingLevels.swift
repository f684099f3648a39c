package import Wire

/// Where a setting is decided; each level over the one before (ORG-08).
package enum SettingLevel: Int, Sendable, CaseIterable, Comparable {
    case organization, meeting
    /// While it goes on.
    case runtime

    package static func < (left: SettingLevel, right: SettingLevel) -> Bool { left.rawValue < right.rawValue }
}

extension MeetingSetting {
    /// The last level that decides it.
    package var lastLevel: SettingLevel {
        switch self {
        case .guestsAllowed, .maxDurationMinutes, .hostsRunAll, .chatDays: .organization
        case .guestAccess, .persistChat, .maxParticipants, .keepAliveSeconds: .meeting
        case .waitingRoom, .chat: .runtime
        }
    }
}

extension MeetingSettings {
    /// What holds where nobody has decided anything. Source: ORG-10, ORG-11, MTG-11, decisions 22, 23, 26, 28 and 42.
    package static let standard = MeetingSettings(
        guestsAllowed: true, guestAccess: .linkOnly, waitingRoom: false, chat: true, persistChat: true, maxParticipants: 100,
        keepAliveSeconds: 60, maxDurationMinutes: 1440, hostsRunAll: false, chatDays: 0)

    /// What is decided here.
    package var decided: Set<MeetingSetting> { Set(MeetingSetting.allCases.filter { differs(in: $0, from: MeetingSettings()) }) }

    package func differs(in setting: MeetingSetting, from other: MeetingSettings) -> Bool {
        switch setting {
        case .guestsAllowed: guestsAllowed != other.guestsAllowed
        case .guestAccess: guestAccess != other.guestAccess
        case .waitingRoom: waitingRoom != other.waitingRoom
        case .chat: chat != other.chat
        case .persistChat: persistChat != other.persistChat
        case .maxParticipants: maxParticipants != other.maxParticipants
        case .keepAliveSeconds: keepAliveSeconds != other.keepAliveSeconds
        case .maxDurationMinutes: maxDurationMinutes != other.maxDurationMinutes
        case .hostsRunAll: hostsRunAll != other.hostsRunAll
        case .chatDays: chatDays != other.chatDays
        }
    }

    /// Numbers that are out of their bounds, with what was expected.
    package var outOfBounds: [(setting: MeetingSetting, bounds: ClosedRange<Int>)] {
        let numbers: [(setting: MeetingSetting, value: Int?, bounds: ClosedRange<Int>)] = [
            (.maxParticipants, maxParticipants, Self.participantBounds), (.keepAliveSeconds, keepAliveSeconds, Self.keepAliveBounds),
            (.maxDurationMinutes, maxDurationMinutes, Self.durationBounds), (.chatDays, chatDays, Self.chatDayBounds),
        ]
        let wrong = numbers.filter { number in number.value.map { !number.bounds.contains($0) } ?? false }
        return wrong.map { (setting: $0.setting, bounds: $0.bounds) }
    }
}

/// What each level has decided of a meeting, and what holds by it.
package struct SettingLevels: Hashable, Sendable {
    package let organization: MeetingSettings
    /// What the organisation has decided for all meetings: what others have said of it sleeps.
    package let locked: Set<MeetingSetting>
    package let meeting: MeetingSettings
    package let runtime: MeetingSettings
    /// The server's limit for one meeting.
    package let mostParticipants: Int

    package init(
        organization: MeetingSettings, locked: Set<MeetingSetting> = [], meeting: MeetingSettings = MeetingSettings(),
        runtime: MeetingSettings = MeetingSettings(), mostParticipants: Int
    ) {
        self.organization = organization
        self.locked = locked
        self.meeting = meeting
        self.runtime = runtime
        self.mostParticipants = mostParticipants
    }

    /// Why a level does not decide a setting.
    package enum Refusal: Error, Hashable, Sendable {
        /// It is the organisation's for all meetings.
        case locked(MeetingSetting)
        /// It is decided further up.
        case level(MeetingSetting)
    }

    /// What of these a level does not decide, in place of its own until now; what stays as it was, or is left to others, is no decision.
    package func refusals(of new: MeetingSettings, at level: SettingLevel) -> [Refusal] {
        let old =
            switch level {
            case .organization: organization
            case .meeting: meeting
            case .runtime: runtime
            }
        let decided = new.decided
        return MeetingSetting.allCases.filter { new.differs(in: $0, from: old) }.compactMap { setting -> Refusal? in
            guard level > .organization, decided.contains(setting) else { return nil }
            if level > setting.lastLevel { return .level(setting) }
            return locked.contains(setting) ? .locked(setting) : nil
        }
    }

    /// What holds.
    package var effective: MeetingOptions {
        let standard = MeetingSettings.standard
        func holds<Value>(_ setting: MeetingSetting, _ value: KeyPath<MeetingSettings, Value?>) -> Value {
            var levels = [organization]
            if !locked.contains(setting) {
                if setting.lastLevel >= .meeting { levels.append(meeting) }
                if setting.lastLevel >= .runtime { levels.append(runtime) }
            }
            guard let held = levels.reversed().compactMap({ $0[keyPath: value] }).first ?? standard[keyPath: value] else {
                preconditionFailure("every setting has a standard value")
            }
            return held
        }
        let hasGuests = holds(.guestsAllowed, \.guestsAllowed)
        return MeetingOptions(
            guestAccess: hasGuests ? holds(.guestAccess, \.guestAccess) : .disabled, waitingRoom: holds(.waitingRoom, \.waitingRoom),
            chat: holds(.chat, \.chat), persistChat: holds(.persistChat, \.persistChat),
            maxParticipants: min(holds(.maxParticipants, \.maxParticipants), mostParticipants),
            keepAliveSeconds: holds(.keepAliveSeconds, \.keepAliveSeconds),
            maxDurationMinutes: holds(.maxDurationMinutes, \.maxDurationMinutes), hostsRunAll: holds(.hostsRunAll, \.hostsRunAll),
            chatDays: holds(.chatDays, \.chatDays))
    }
}
