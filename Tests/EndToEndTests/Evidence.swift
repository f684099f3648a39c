import Foundation
import Posix
import Support
import Units
import Wire

/// Looks at what a browser has of a broadcast each 20 ms, as somebody before a page does, until cancelled.
private func watching(
    _ browser: Browser, _ id: BroadcastID, _ look: @escaping @Sendable (BroadcastView) -> Void
) -> Task<Void, Never> {
    Task {
        while !Task.isCancelled {
            // try?: between two connections of the feed nothing is known; cancellation ends the sleep.
            if let view = try? browser.broadcast(id) { look(view) }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// What a broadcast was seen to do, from the moment this is made: its states as the browser had them, each with its time.
final class Witness: Sendable {
    struct Sight: Sendable, CustomStringConvertible {
        let state: String
        let reason: String?
        let at: Instant
        var description: String { state + (reason.map { " (\($0))" } ?? "") }
    }

    private let sights = Guarded<[Sight]>([])
    private let task: Task<Void, Never>

    init(_ browser: Browser, _ id: BroadcastID) {
        task = watching(browser, id) { [sights] view in
            sights.withLock { sights in
                if sights.last?.state == view.state, sights.last?.reason == view.reason { return }
                sights.append(Sight(state: view.state, reason: view.reason, at: .now))
            }
        }
    }

    var seen: [Sight] { sights.withLock { $0 } }
    var states: [String] { seen.map(\.state) }

    /// How long after `start` a state was first seen.
    func time(to state: String, since start: Instant) -> Duration? {
        seen.first { $0.state == state && $0.at >= start }.map { $0.at - start }
    }

    func end() { task.cancel() }
    deinit { task.cancel() }
}

/// What the outputs of a broadcast were seen to be, from the moment this is made, as the browser had them.
final class OutputSights: Sendable {
    struct Sight: Sendable, Equatable {
        let destination: DestinationID
        let state: OutputReport.State
        let reason: String?
        let at: Instant
    }

    private let sights = Guarded<[Sight]>([])
    private let task: Task<Void, Never>

    init(_ browser: Browser, _ id: BroadcastID) {
        task = watching(browser, id) { [sights] view in
            for output in view.outputs {
                guard let report = output.report else { continue }
                sights.withLock { sights in
                    let last = sights.last { $0.destination == output.destination }
                    if let last, last.state == report.state, last.reason == report.reason { return }
                    sights.append(Sight(destination: output.destination, state: report.state, reason: report.reason, at: .now))
                }
            }
        }
    }

    func of(_ destination: DestinationID) -> [Sight] { sights.withLock { $0.filter { $0.destination == destination } } }

    func end() { task.cancel() }
    deinit { task.cancel() }
}

/// Prints a figure of a test where somebody looks for it.
func measured(_ what: String, _ duration: Duration?) {
    print("measured: \(what): \(duration.map { "\($0.milliseconds) ms" } ?? "not seen")")
}

func measured(_ what: String, _ text: String) { print("measured: \(what): \(text)") }

extension Studio {
    /// Every access unit that the sender has muxed, in order.
    func sent(_ name: String = "sender") throws -> [AccessUnit] { try Recording.trace(installation.tracePath(name)) }

    /// What one recording of a stream has of what was sent.
    func delivery(_ kind: AccessUnit.Kind, from sent: [AccessUnit], to file: String) throws -> Delivery {
        Delivery(sent: sent, recorded: try Recording.accessUnits(file), kind)
    }

    /// Waits until a recording has grown by some seconds of media.
    func record(_ duration: Duration, of stream: String, by nginx: Nginx) async throws {
        func last() throws -> Int64 {
            guard let file = try nginx.recordings(stream).last else { return 0 }
            return try Recording.accessUnits(file).last { $0.kind == .video }?.ptsTicks ?? 0
        }
        let goal = try last() + Int64(duration.milliseconds * 90)
        try await eventually(within: duration + .seconds(15), "\(duration) more of \(stream) are recorded") { try last() >= goal }
    }

    /// Sends and receives as long as a mobile link lets a test: small pictures, so that two of them fit on two cores.
    static func small(_ kilobits: Int = 800) -> EncoderChoice {
        EncoderChoice(bitrate: .kilobits(kilobits), width: 640, height: 360, frameRate: 25)
    }

    /// Stops a broadcast and holds that nothing of it is left: no receiver, and every port of the pool free.
    func stopCleanly(_ ids: BroadcastID...) async throws {
        for id in ids { try await stop(id) }
        try await eventually(within: .seconds(5), "no receiver is left and the ports are free") {
            self.receivers.isEmpty && self.installation.ports.allSatisfy(FreePorts.isFreeUDP)
        }
    }
}
