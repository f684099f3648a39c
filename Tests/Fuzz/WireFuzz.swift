import FoundationEssentials
import Wire

package func fuzzWire(_ bytes: [UInt8]) -> String? {
    let data = Data(bytes)
    return roundTrip(AgentMessage.self, data) ?? roundTrip(Command<AgentOrder>.self, data) ?? roundTrip(AgentOrder.self, data)
        ?? roundTrip(PoolMessage.self, data) ?? roundTrip(Command<PoolOrder>.self, data) ?? roundTrip(PoolOrder.self, data)
        ?? roundTrip(ReceiverMessage.self, data) ?? roundTrip(ReceiverOrder.self, data) ?? roundTrip(Challenge.self, data)
        ?? roundTrip(Proof.self, data) ?? roundTrip(EnrollRequest.self, data) ?? roundTrip(EnrollResponse.self, data)
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
