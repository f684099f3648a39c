import Units
import Wire

/// A message of control: a command with its id, or a bare order.
struct OrderFrame<Order: Message>: Decodable {
    let id: CommandID?
    let order: Order

    private enum Keys: String, CodingKey { case id, order }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        if container.contains(.id) || container.contains(.order) {
            let command = try Command<Order>(from: decoder)
            (id, order) = (command.id, command.order)
        } else {
            (id, order) = (nil, try Order(from: decoder))
        }
    }
}
