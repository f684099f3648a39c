import FoundationEssentials
import Units
import Wire

private let messages: [any (Codable & Sendable).Type] = [
    AgentMessage.self, Command<AgentOrder>.self, AgentOrder.self, PoolMessage.self, Command<PoolOrder>.self, PoolOrder.self,
    ReceiverMessage.self, ReceiverOrder.self, Challenge.self, Proof.self, EnrollRequest.self, EnrollResponse.self,
    OutputTestOrder.self, OutputTestVerdict.self, RoomRequest.self, RoomMessage.self, WorkerMessage.self, Command<WorkerOrder>.self,
]

package func fuzzWire(_ bytes: [UInt8]) -> String? {
    let data = Data(bytes)
    for type in messages {
        if let violation = roundTrip(type, data) { return violation }
    }
    return entered(data)
}

/// What a device says is within bounds once it has entered: bounding it again changes nothing, and no text of it is hostile.
private func entered(_ data: Data) -> String? {
    let decoder = JSONDecoder()
    if case .hello(let hello)? = try? decoder.decode(AgentMessage.self, from: data) {
        let bounded = hello.bounded()
        let texts =
            [bounded.agentVersion, bounded.sending?.reason ?? ""] + bounded.inventory.links.flatMap { [$0.name, $0.reason ?? ""] }
            + bounded.inventory.inputs.map(\.id)
        guard bounded == bounded.bounded(), texts.allSatisfy(\.isPlain) else { return "an agent's hello that is not bounded" }
    }
    if case .picture(let picture)? = try? decoder.decode(AgentMessage.self, from: data), let bounded = picture.bounded() {
        guard bounded == bounded.bounded(), bounded.input.isPlain, bounded.base64.utf8.count <= 32 << 10 else {
            return "a picture that is not bounded"
        }
    }
    switch try? decoder.decode(PoolMessage.self, from: data) {
    case .hello(let hello)?:
        let bounded = hello.bounded()
        guard bounded == bounded.bounded(), ([bounded.poolVersion] + bounded.addresses).allSatisfy(\.isPlain) else {
            return "a pool's hello that is not bounded"
        }
        // What is told of it is one plain line, and what is not refused goes to boards as it is.
        guard hello.fault?.isPlain ?? hello.addresses.starts(with: bounded.addresses) else { return "a pool's hello that is half believed" }
    case .report(let report)?:
        let bounded = report.bounded()
        let texts = bounded.outputs.compactMap(\.reason) + bounded.ingest.paths.map(\.source)
        guard bounded == bounded.bounded(), texts.allSatisfy(\.isPlain) else { return "a report that is not bounded" }
    case .thumbnail(let thumbnail)?:
        guard let bounded = thumbnail.bounded() else { return nil }
        guard bounded == bounded.bounded(), bounded.base64.isPlain, bounded.base64.utf8.count <= 32 << 10 else {
            return "a thumbnail that is not bounded"
        }
    case .load(let load)?:
        guard load.bounded() == load.bounded().bounded(), (0...100).contains(load.bounded().cpuPercent ?? 0) else {
            return "a host's load that is not bounded"
        }
    case .recordings(let list)?:
        let bounded = list.bounded(), files = bounded.takes.flatMap(\.files)
        guard bounded == bounded.bounded(), files.count <= WireLimits.recordedFiles, files.allSatisfy({ $0.codecs.isPlain && $0.bytes > 0 })
        else { return "a host's recordings that are not bounded" }
    default: break
    }
    return nil
}

/// What decodes must encode, and decode to what encodes the same.
private func roundTrip<Message: Codable>(_ type: Message.Type, _ data: Data) -> String? {
    guard let message = try? JSONDecoder().decode(type, from: data) else { return nil }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let written = try? encoder.encode(message) else { return "a \(type) that does not encode" }
    guard let again = try? JSONDecoder().decode(type, from: written), let twice = try? encoder.encode(again) else {
        return "a \(type) that does not read back"
    }
    return written == twice ? nil : "a \(type) that is another one when it is written and read"
}
