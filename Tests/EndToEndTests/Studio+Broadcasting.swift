import Foundation
import Posix
import Support
import Units
import Wire

/// What tests of broadcasts ask of a studio again and again.
extension Studio {
    /// A picture that costs this machine little.
    static let small = EncoderChoice(bitrate: .kilobits(800), width: 640, height: 360, frameRate: 25)

    var media: String { stage.folder["media"] }

    /// One more sender beside the first, online with its links.
    /// - Parameter inside: what comes before its command; nil: as the first one's.
    func secondSender(_ name: String = "second", inside: [String]? = nil) async throws -> SenderView {
        _ = try await installation.enrollSender(name, inside: inside ?? field)
        try await installation.startSender(name, inside: inside ?? field)
        return try await eventually(within: .seconds(20), "\(name) is online with its links") {
            let list: ListView<SenderView> = try await self.owner.call(.get, "/senders")
            return list.items.first { $0.name == name && $0.online && $0.inventory.links.count >= 3 }
        }
    }

    /// Waits until a file of the media folder is offered as an input.
    /// - Returns: its id.
    func offered(_ name: String, by sender: DeviceID) async throws -> String {
        try await eventually(within: .seconds(5), "\(name) is offered") {
            try self.owner.sender(sender)?.inventory.inputs.first { $0.name == name }?.id
        }
    }

    /// The real clip as an input of the sender.
    func clip(of sender: DeviceID) async throws -> String {
        try FileManager.default.copyItem(atPath: try Places.clip(), toPath: media + "/bunny.mp4")
        return try await offered("bunny.mp4", by: sender)
    }

    func output(_ destination: DestinationID, of id: BroadcastID) throws -> BroadcastView.Output? {
        try owner.broadcast(id)?.outputs.first { $0.destination == destination }
    }

    /// Waits until an output shows a state.
    @discardableResult
    func wait(
        _ destination: DestinationID, of id: BroadcastID, is state: OutputReport.State, within limit: Duration = .seconds(10)
    ) async throws -> OutputReport {
        try await eventually(within: limit, "the output is \(state)") {
            guard let report = try self.output(destination, of: id)?.report, report.state == state else { return nil }
            return report
        }
    }

    /// Waits until the last recording of a stream is this long.
    /// - Returns: its path.
    @discardableResult
    func record(_ stream: String, seconds: Double) async throws -> String {
        try await eventually(within: .seconds(seconds + 20), "\(seconds) s of \(stream) are recorded") {
            guard let file = try self.nginx.recordings(stream).last, try await Probe(file).seconds > seconds else { return nil }
            return file
        }
    }

    /// What was sent by the last broadcast of the first sender, held against a recording.
    /// - Parameter isEnded: see `Recording.accessUnits`.
    func deliveries(_ recording: String, isEnded: Bool = false) throws -> [Delivery] {
        let sent = try Recording.trace(installation.tracePath())
        let recorded = try Recording.accessUnits(recording, isEnded: isEnded)
        return [Delivery(sent: sent, recorded: recorded, .video), Delivery(sent: sent, recorded: recorded, .audio)]
    }

    /// Nothing of a broadcast is left: no receiver, no port, and its senders are idle.
    func expectNothingLeft(_ senders: DeviceID...) async throws {
        try await eventually(within: .seconds(5), "no receiver is left") { self.receivers.isEmpty }
        try await eventually(within: .seconds(5), "the pool's ports are free") {
            for port in self.installation.ports {
                guard let address = SocketAddress(self.network.cloudAddress, port: port) else { return false }
                _ = try UDPSocket(binding: address)
            }
            return true
        }
        for sender in senders {
            try await eventually(within: .seconds(5), "the sender is idle") {
                try self.owner.latest("telemetry/\(sender)", as: AgentTelemetry.self).map { $0.pipeline == nil } == true
            }
        }
    }
}

/// How the pictures of a recording follow each other.
struct Pace: CustomStringConvertible {
    let pictures: Int
    let longestMs: Double
    let shortestMs: Double
    let seconds: Double

    init(_ units: [AccessUnit]) {
        let times = units.filter { $0.kind == .video }.map(\.ptsTicks)
        let steps = zip(times, times.dropFirst()).map { Double($1 - $0) / 90 }
        pictures = times.count
        longestMs = steps.max() ?? .infinity
        shortestMs = steps.min() ?? -.infinity
        seconds = steps.reduce(0, +) / 1000
    }

    var description: String { "\(pictures) pictures in \(seconds) s, \(shortestMs) to \(longestMs) ms apart" }
}
