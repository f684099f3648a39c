package import Configuration
package import Ingest
package import Posix
import Service
package import Wire

/// The file of `strata-receiver listen`: one bonded receiver without the platform.
package struct ListenConfiguration: Sendable {
    package var carrier: Carrier
    package var ingest: IngestSettings
    /// Where MPEG-TS goes, over UDP.
    package var output: SocketAddress
    /// Where figures go, one JSON object for each datagram.
    package var telemetry: SocketAddress?

    /// - Throws: every fault at once.
    package init(_ text: String, source: String, environment: [String: String]) throws(ConfigurationFaults) {
        let reader = try ConfigurationReader(text, source: source, environment: environment)
        let bond = reader.section("bond")
        let key = StreamKeyFile.read(bond, "key_file", reader, dotted: "bond.key_file")
        let addresses = bond.socketAddresses("bind")
        let latency = bond.integer("latency_ms", default: 1000, in: SenderConfiguration.buffers)
        carrier = bond.choice("carrier", default: Carrier.bond, placeholder: .bond)
        output = reader.section("output").peerAddress("to")
        let figures = reader.section("telemetry")
        telemetry = figures.isGiven("to") ? figures.peerAddress("to") : nil
        if Set(addresses.map(\.port)).count > 1 {
            reader.note("bond.bind", addresses.map(\.description).joined(separator: ", "), "addresses with the same port")
        }
        if addresses.isEmpty { reader.note("bond.bind", nil, "at least one address") }
        try reader.finish()
        ingest = IngestSettings(port: addresses.first?.port ?? 0, bind: addresses.map(\.host), key: key, bufferMs: latency)
    }
}
