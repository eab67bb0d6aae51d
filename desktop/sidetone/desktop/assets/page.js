// What Flet's client is told before it starts: everything comes from here, nothing from elsewhere.
var flet = {
  pyodide: false,
  multiView: false,
  noCdn: true,
  webRenderer: "skwasm",
  routeUrlStrategy: "path",
  webSocketEndpoint: "/ws",
  entrypointBaseUrl: "/",
  assetBase: "/",
  canvasKitBaseUrl: "/canvaskit/",
  fontFallbackBaseUrl: "assets/fonts/",
};
flet.flutterAppLoaded = new Promise((resolve) => { flet.flutterAppResolve = resolve; });
