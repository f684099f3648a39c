package import Posix
import Units
import Wire

/// A board's status as a page of text: for a console of 80 columns, a serial line, or a screen on HDMI.
package struct StatusPage {
    private let status: BoardStatus?
    private let age: Duration
    static let columns = 79
    /// The agent tells each 5 s; two in a row may be late.
    static let oldAge = Duration.seconds(16)

    /// - Parameter status: nil where no agent has told any.
    package init(_ status: BoardStatus?, at now: Instant) {
        self.status = status
        age = status.map { now - Instant(nanoseconds: $0.atNanoseconds) } ?? .zero
    }

    /// Whether a person has nothing to do about it.
    package var isWell: Bool {
        guard let status, age < Self.oldAge else { return false }
        return status.isControlReached && status.standing == .enrolled
    }

    /// Lines of plain characters, each of at most 79.
    package var lines: [String] {
        guard let status else {
            return ["STRATA", "", "The agent does not run: systemctl status strata-agent"]
        }
        var lines = ["STRATA \(status.version)   \(status.name ?? "a board without a name")", ""]
        if age >= Self.oldAge {
            lines += ["The agent has said nothing for \(age.components.seconds) s: systemctl status strata-agent", ""]
        }
        lines += standing(status) + [""] + links(status) + modems(status) + [""]
        lines.append(status.inputs.isEmpty ? "Inputs     none" : "Inputs     " + status.inputs.joined(separator: ", "))
        if let lag = status.clockLag {
            lines.append("Clock      wrong: at least \(lag) s slow; certificates are checked as of the last known time")
        }
        return lines.flatMap(Self.wrapped)
    }

    private func standing(_ status: BoardStatus) -> [String] {
        let server = status.server ?? "no server"
        let why = status.reason.map { ["           \($0)"] } ?? []
        switch status.standing {
        case .unprepared:
            return ["Server     none yet: put strata-board.toml on the boot partition, or run strata-agent enroll"] + why
        case .enrolling: return ["Server     \(server): enrolling, not reached yet"] + why
        case .refused: return ["Server     \(server): refused the token; it takes a new one"] + why
        case .enrolled where status.isControlReached:
            return ["Server     \(server): reached\(status.isBroadcasting ? ", on the air" : "")"]
        case .enrolled: return ["Server     \(server): NOT reached\(status.isBroadcasting ? ", on the air" : "")"] + why
        }
    }

    private func links(_ status: BoardStatus) -> [String] {
        guard !status.links.isEmpty else { return ["Links      none: no cable, no wireless network, no modem"] }
        return status.links.enumerated().map { number, link in
            var text = number == 0 ? "Links      " : "           "
            text += Self.padded(link.name, to: 12)
            switch link.state {
            case .up: text += link.reason ?? link.addresses.first ?? "up"
            case .unaddressed: text += "plugged in, no address"
            case .down: text += "down"
            }
            return text
        }
    }

    private func modems(_ status: BoardStatus) -> [String] {
        status.modems.enumerated().map { number, modem in
            var parts = [modem.state.rawValue]
            if modem.sim != .ready { parts.append("SIM \(modem.sim.rawValue)") }
            if let network = modem.network { parts.append([network, modem.technology].compactMap { $0 }.joined(separator: " ")) }
            if let signal = modem.signalPercent { parts.append("signal \(signal) %") }
            if let rssi = modem.rssiDbm.flatMap({ Int(exactly: $0.rounded(.towardZero)) }) { parts.append("\(rssi) dBm") }
            if let reason = modem.reason { parts.append(reason) }
            return (number == 0 ? "Modems     " : "           ") + Self.padded(modem.model, to: 12) + parts.joined(separator: ", ")
        }
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    /// What others have named may steer no terminal; what is too long goes on below, further in.
    private static func wrapped(_ line: String) -> [String] {
        var rest = Substring(line.escaped())
        var found: [String] = []
        while true {
            let indent = found.isEmpty ? "" : "           "
            let room = rest.prefix(columns - indent.count)
            guard room.endIndex < rest.endIndex else { return found + [indent + String(rest)] }
            let end = room.lastIndex(of: " ").flatMap { $0 > room.index(room.startIndex, offsetBy: 11) ? $0 : nil } ?? room.endIndex
            found.append(indent + String(rest[..<end]))
            rest = rest[end...].drop { $0 == " " }
        }
    }
}
