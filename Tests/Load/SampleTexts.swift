import FoundationEssentials
import Posix
import Units
import Wire

/// The telemetry of a board that is live over four modems, as text.
///
/// Encoded beforehand, since it would cost the load as much as it costs control to read it: what a second's sample has in it follows what an agent
/// sends (`AgentTelemetry`), and only the time is put in when it is sent. That is in microseconds of the monotonic clock: control passes it on as it is.
struct SampleTexts: Sendable {
    private struct Text: Sendable {
        let beforeTime: [UInt8]
        let afterTime: [UInt8]
    }

    private let texts: [Text]

    /// Seconds until everything came that comes now and then.
    private static let period = 30
    /// Boards differ.
    private static let variants = 4
    /// Stands where the time goes.
    private static let mark: Int64 = 8_888_888_888_888_888
    static let links = ["wwan0", "wwan1", "wwan2", "eth0"]

    init() throws {
        texts = try (0..<Self.variants * Self.period).map { index in
            let sample = Self.sample(second: index % Self.period, noise: (index * 7919) % 1000)
            let text = try String(decoding: encoded(AgentMessage.telemetry(sample)), as: UTF8.self)
            let parts = text.split(separator: String(Self.mark))
            guard parts.count == 2 else { throw LoadFault(description: "a sample has one time: \(text)") }
            return Text(beforeTime: Array(parts[0].utf8), afterTime: Array(parts[1].utf8))
        }
    }

    /// What a board says in its `second`-th second.
    func text(of board: Int, second: Int, at now: Instant) -> [UInt8] {
        let text = texts[(board % Self.variants) * Self.period + second % Self.period]
        return text.beforeTime + Array(String(now.microseconds).utf8) + text.afterTime
    }

    private static func sample(second: Int, noise: Int) -> AgentTelemetry {
        // Every 2 s, 5 s and half a minute.
        let (hasBond, hasCounters, hasUsage) = (second % 2 == 0, second % 5 == 0, second == 0)
        let frames = PipelineTelemetry.Frames(made: 29.97, input: 29.97, dropped: noise / 100)
        var sample = AgentTelemetry(
            atMs: mark, links: links.indices.map { link($0, noise, hasBond: hasBond) },
            pipeline: PipelineTelemetry(
                produced: .kilobits(5000 + noise), framesTotal: 100_000 + noise * 30, restartsTotal: 0, droppedPackets: 0,
                frames: frames))
        if hasBond {
            sample.bond = BondTelemetry(
                available: .kilobits(5200 + noise), capacity: .kilobits(6100 + noise), queueMs: Double(noise) / 10,
                offeredPackets: 1_000_000 + noise, deliveredPackets: 990_000 + noise, lostPackets: noise,
                retransmittedPackets: 4000 + noise,
                doubledPackets: noise, latencyMs: 400 + Double(noise) / 10)
        }
        if hasCounters {
            sample.interfaces = links.map { name in
                InterfaceTelemetry(
                    name: name, receivedBytes: 90_000_000 + noise, sentBytes: 8_000_000_000 + noise, receiveErrors: 0, sendErrors: 0,
                    receiveDropped: noise, sendDropped: 0)
            }
            sample.modems = links.dropLast().enumerated().map { modem($0.offset, $0.element, noise) }
        }
        if hasUsage {
            sample.usage = links.dropLast().map { name in
                UsageTelemetry(
                    link: name, sim: "4711", since: "2026-11-01", sentBytes: 8_000_000_000 + noise, receivedBytes: 90_000_000,
                    capBytes: 100_000_000_000, state: .within)
            }
        }
        return sample
    }

    private static func link(_ index: Int, _ noise: Int, hasBond: Bool) -> LinkTelemetry {
        let bond = LinkTelemetry.Bond(
            offeredPackets: 250_000 + noise, deliveredPackets: 249_000 + noise, lostPackets: noise, doubledPackets: noise,
            queueMs: Double(noise) / 20, capacity: .kilobits(1500 + noise))
        return LinkTelemetry(
            name: links[index], state: .live, sent: .kilobits(1300 + noise), rttMs: Double(40 + index * 15) + Double(noise) / 100,
            loss: Double(noise) / 100_000, weight: 25, retransmittedPackets: 1000 + noise, bond: hasBond ? bond : nil)
    }

    private static func modem(_ index: Int, _ link: String, _ noise: Int) -> ModemTelemetry {
        var modem = ModemTelemetry(
            id: "86000000000001\(index)", link: link, model: "SIMCOM SIM7600G-H", state: .connected, sim: .ready)
        modem.registration = .home
        modem.network = "Example Mobile"
        modem.technology = "LTE"
        modem.band = "B20"
        modem.signalPercent = 40 + noise % 50
        modem.rsrpDbm = -95 - Double(noise % 10)
        modem.rsrqDb = -11.5
        modem.sinrDb = 12.5
        return modem
    }

    /// What such a board says first.
    static func hello() -> AgentMessage {
        let links = Self.links.map { name in
            Link(name: name, kind: name == "eth0" ? .ethernet : .cellular, state: .up, addresses: ["192.0.2.2"], mtu: 1500)
        }
        let modes = [(1920, 1080), (1280, 720), (640, 480)].map { width, height in
            VideoMode(width: width, height: height, frames: 30, frameSeconds: 1, format: "MJPG")
        }
        let inputs = [
            Input(id: "test", kind: .test, name: "Test picture", media: .both),
            Input(id: "v4l2:usb-xhci-1.2", kind: .v4l2, name: "USB grabber", media: .video, modes: modes),
        ]
        let inventory = Inventory(links: links, inputs: inputs, encoders: [VideoEncoder(id: .x264, codec: .h264, hardware: false)])
        return .hello(
            AgentHello(agentVersion: "0.1.0", inventory: inventory, configuration: ConfigurationReport(version: 0), sending: nil))
    }
}

/// JSON with sorted keys: a sample's time comes first.
func encoded(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value))
}

extension Instant {
    /// Since boot.
    var microseconds: Int64 { nanoseconds / 1000 }
}
