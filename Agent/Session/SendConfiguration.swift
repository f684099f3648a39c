package import Configuration
package import Posix
import Service
import Units
package import Wire

/// The file of `strata-agent send`: one bonded sender without the platform.
package struct SendConfiguration: Sendable {
    package var transport: Transport
    package var linkRules: [String: LinkRule]
    /// Where MPEG-TS comes in, over UDP.
    package var input: SocketAddress
    /// Where figures go, one JSON object for each datagram.
    package var telemetry: SocketAddress?

    /// - Throws: every fault at once.
    package init(_ text: String, source: String, environment: [String: String]) throws(ConfigurationFaults) {
        let reader = try ConfigurationReader(text, source: source, environment: environment)
        let bond = reader.section("bond")
        let key = StreamKeyFile.read(bond, "key_file", reader, dotted: "bond.key_file")
        let receivers = bond.peers("receivers")
        let latency = bond.integer("latency_ms", default: 1000, in: SenderConfiguration.buffers)
        let carrier = bond.choice("carrier", default: Carrier.bond, placeholder: .bond)
        let links = SenderConfiguration.links(of: bond, "bond", reader)
        let protection = bond.choice("protection", default: Protection.throughput, placeholder: .throughput)
        linkRules = LinkRule.read(reader)
        let listen = reader.section("input").socketAddress("listen")
        let telemetry = reader.section("telemetry")
        let to = telemetry.isGiven("to") ? telemetry.peerAddress("to") : nil
        try reader.finish()
        transport = Transport(
            carrier: carrier, receivers: receivers.map { Endpoint(host: $0.host, port: $0.port) }, streamKey: SecretOnWire(key),
            bufferMs: latency, links: links, protection: protection)
        input = listen
        self.telemetry = to
    }
}
