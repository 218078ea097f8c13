// Vite bundles imported style sheets into one file.
declare module '*.css'
