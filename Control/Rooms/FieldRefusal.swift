/// Why a live broadcast, or an encoder, is not let into a room.
package enum FieldRefusal: Error, Sendable, Hashable {
    /// By the room's own rules.
    case room(RoomRefusal)
    /// By its worker.
    case desk(RoomDesk.Refusal)
}
