import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// What is shown of each link, held against what the network really does.
@Suite(.serialized, .unlessStolen) struct LinkFigureTests {
    private static let delays = [20.0, 40, 70]
    private static let losses = [0, 0.05, 0.1]
    private static let encoder = EncoderChoice(bitrate: .kilobits(2000), width: 640, height: 360, frameRate: 25)

    private static var links: [LinkShape] {
        zip(delays, losses).map { delay, loss in
            // Wide enough that a key frame does not wait long: a challenge's answer waits behind it, and that is a true round trip too.
            let up = LinkProfile(rateKbit: 12_000, delayMs: delay, queueMs: 300, loss: loss)
            return LinkShape(up: up, down: LinkProfile(rateKbit: 12_000, delayMs: delay, queueMs: 300))
        }
    }

    @Test("rate, round trip and loss of each link are shown as they are, on the sender's side and on the receiver's")
    func figures() async throws {
        try await unlessVoid { run in
            try await inStudio(links: Self.links) { studio in
                let network = studio.network
                run.judge { network.lateness }
                let sender = try await studio.sender()
                let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
                let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Self.encoder))
                try await studio.owner.wait(id, for: ["live"])
                // Until the weights have settled and the first second of the start is out of every window.
                try await Task.sleep(for: .seconds(2))
                let seen = try await watch(studio, sender.id, id, for: .seconds(5.5))
                for link in 0...2 { measured("modem\(link)", "\(seen[link])") }
                for link in 0...2 { try judge(link, seen[link]) }
                try await studio.stop(id)
            }
        }
    }

    @Test("what the configuration says of protection and costs is what the links do, also when it changes while live")
    func policy() async throws {
        try await inStudio(links: Self.delays.map { Studio.link(4000, delayMs: $0) }) { studio in
            let sender = try await studio.sender()
            func configure(_ more: String) async throws {
                let toml = "[transport]\nprotection = \"balanced\"\n\(more)"
                let view: ConfigurationAnswer = try await studio.owner.call(.put, "/senders/\(sender.id)/configuration", ["toml": toml])
                try await eventually(within: .seconds(5), "it is in force") {
                    try studio.owner.sender(sender.id)?.configuration.applied == view.version
                }
            }
            try await configure("")
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Self.encoder))
            try await studio.owner.wait(id, for: ["live"])
            func sample() throws -> AgentTelemetry? { try studio.owner.latest("telemetry/\(sender.id)", as: AgentTelemetry.self) }
            let bond = try await eventually(within: .seconds(10), "a thousand packets were sent") {
                try sample()?.bond.flatMap { $0.offeredPackets > 1000 ? $0 : nil }
            }
            measured("twice", "\(bond.doubledPackets) of \(bond.offeredPackets) packets")
            // Sound and tables are a tenth of it at least, key frames come besides; other pictures are most of it.
            try need(bond.doubledPackets * 20 > bond.offeredPackets && bond.doubledPackets * 10 < bond.offeredPackets * 8)
            func rate(_ link: String) throws -> Bitrate? { try sample()?.links.first { $0.name == link }?.sent }
            // The quicker of two free links carries most.
            try await eventually(within: .seconds(5), "modem0 carries most") { try rate("modem0").map { $0 > .kilobits(1000) } == true }
            try await configure("[[link]]\nname = \"modem0\"\ncost = \"last_resort\"")
            try await eventually(within: .seconds(5), "modem1 carries the stream") {
                guard let first = try rate("modem0"), let second = try rate("modem1") else { return false }
                return first < .kilobits(500) && second > .kilobits(1000)
            }
            try await studio.stop(id)
        }
    }

    /// The means of what was shown of one link, and what the emulator counted meanwhile.
    private struct Seen: CustomStringConvertible {
        var sentKbit: [Double] = []
        var receivedKbit: [Double] = []
        var senderRtt: [Double] = []
        var receiverRtt: [Double] = []
        var loss: Double?
        var emulatedSentKbit = 0.0
        var emulatedArrivedKbit = 0.0
        var emulatedLoss = 0.0
        var emulatedPackets = 0.0

        static func mean(_ numbers: [Double]) -> Double { numbers.isEmpty ? .nan : numbers.reduce(0, +) / Double(numbers.count) }
        static func median(_ numbers: [Double]) -> Double { numbers.isEmpty ? .nan : numbers.sorted()[numbers.count / 2] }

        var description: String {
            "sends \(Int(Self.mean(sentKbit))) (\(Int(emulatedSentKbit))) kbit/s, receives \(Int(Self.mean(receivedKbit)))"
                + " (\(Int(emulatedArrivedKbit))), round trip \(Self.median(senderRtt)) and \(Self.median(receiverRtt)) ms,"
                + " loss \(loss ?? .nan) (\(emulatedLoss)); in brackets the emulator's"
        }
    }

    private func watch(_ studio: Studio, _ sender: DeviceID, _ id: BroadcastID, for time: Duration) async throws -> [Seen] {
        var seen = [Seen(), Seen(), Seen()]
        let (begin, before) = (Instant.now, (0...2).map { studio.network.count($0, .up) })
        while Instant.now - begin < time {
            let telemetry = try studio.owner.latest("telemetry/\(sender)", as: AgentTelemetry.self)?.links ?? []
            let paths = try studio.owner.broadcast(id)?.ingest?.paths ?? []
            for link in 0...2 {
                if let shown = telemetry.first(where: { $0.name == "modem\(link)" }) {
                    seen[link].sentKbit.append(Double(shown.sent.bitsPerSecond) / 1000)
                    if let rtt = shown.rttMs { seen[link].senderRtt.append(rtt) }
                }
                if let path = paths.first(where: { $0.source.hasPrefix("\(studio.network.fieldAddress(link)):") }) {
                    seen[link].receivedKbit.append(Double(path.bitrate.bitsPerSecond) / 1000)
                    if let rtt = path.rttMs { seen[link].receiverRtt.append(rtt) }
                    seen[link].loss = path.loss
                }
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        let seconds = (Instant.now - begin) / .seconds(1)
        for link in 0...2 {
            let after = studio.network.count(link, .up)
            let (entered, arrived) = (
                Double(after.enteredPackets - before[link].enteredPackets), Double(after.deliveredPackets - before[link].deliveredPackets)
            )
            let kbit = Double(after.deliveredBytes - before[link].deliveredBytes) * 8 / 1000 / seconds
            seen[link].emulatedArrivedKbit = kbit
            seen[link].emulatedSentKbit = kbit * entered / arrived
            seen[link].emulatedPackets = entered
            seen[link].emulatedLoss = Double(after.dropped(.loss) - before[link].dropped(.loss)) / entered
        }
        return seen
    }

    private func judge(_ link: Int, _ seen: Seen) throws {
        let trip = 2 * Self.delays[link]
        // A slower link gets a burst of a key frame now and then, and the windows, of a second each, are not the emulator's.
        func isNear(_ shown: [Double], _ real: Double) -> Bool { abs(Seen.mean(shown) - real) < max(0.15 * real, 40) }
        try need(isNear(seen.sentKbit, seen.emulatedSentKbit), "modem\(link) sends: \(seen)")
        try need(isNear(seen.receivedKbit, seen.emulatedArrivedKbit), "modem\(link) receives: \(seen)")
        for rtt in [Seen.median(seen.senderRtt), Seen.median(seen.receiverRtt)] {
            try need((trip - 2...trip + 15).contains(rtt), "modem\(link)'s round trip of \(trip) ms: \(seen)")
        }
        let loss = try need(seen.loss, "modem\(link) shows no loss")
        // What some 300 packets lose of 5 % is 2.4 to 7.6 % by chance alone: held against what the emulator has really lost meanwhile.
        // A link that carries probes alone has some 80 packets in that time, and the windows differ by some of them.
        let margin = max(0.005, Self.losses[link] / 3, 4 / seen.emulatedPackets)
        try need(abs(loss - seen.emulatedLoss) <= margin, "modem\(link) loses: \(seen)")
    }
}
