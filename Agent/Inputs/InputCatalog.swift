/// What a broadcast can show.
package enum InputCatalog {
    /// The test picture and tone.
    package static let testID = "test"
}
